"""The web server's settings, the same for bin/run and the Procfile; `PORT` and `WEB_CONCURRENCY` are gunicorn's own."""

worker_class = "gevent"  # an open event stream costs a greenlet, not a thread
worker_connections = 3000
timeout = 60
graceful_timeout = 4  # event streams never end by themselves; a browser reconnects
keepalive = 5
control_socket_disable = True  # it would stand in the home folder, shared by every copy that runs
accesslog = None  # the product writes its own structured line per request
