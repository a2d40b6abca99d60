"""The modal model: a sum of decaying partials whose decay a network predicts."""
