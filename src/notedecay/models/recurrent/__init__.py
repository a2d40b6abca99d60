"""Recurrent networks that predict a note block by block."""
