"""The services that carry our messages, and Slack, which carries our alarms."""
