"""What every floor stands on: errors, files, configuration, the project's folder."""
