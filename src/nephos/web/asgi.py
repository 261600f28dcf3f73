"""The application that uvicorn serves. Django is configured by whoever imports this (`core.bootstrap.setup`)."""

from django.core.handlers.asgi import ASGIHandler

application = ASGIHandler()
