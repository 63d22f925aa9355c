"""The trigger API, `/v1/api/trigger`."""
