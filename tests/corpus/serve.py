"""A Django admin with the same books each time, for a person who is logged in. It prints the port that it has chosen."""

import tempfile
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command

folder = tempfile.TemporaryDirectory()


def logged_in(answer):
    """Middleware: whoever asks is the administrator."""

    def answer_administrator(request):
        from django.contrib.auth.models import User

        request.user = request._cached_user = User.objects.get()
        return answer(request)

    return answer_administrator


settings.configure(
    DEBUG=True,
    SECRET_KEY="known to everybody",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder.name}/books.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "library",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.logged_in",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="/static/",
    LOGGING={"version": 1, "loggers": {"django.request": {"level": "ERROR"}}},
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.urls import path  # noqa: E402
from library.models import Author, Book  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls)]

THINGS = ["Lighthouse", "Harbour", "Orchard", "Winter", "River", "Garden", "Letter", "Island", "Mountain", "Clock"]
KINDS = ["Silent", "Last", "Hidden", "Second", "Paper", "Broken", "Northern"]

call_command("migrate", verbosity=0, run_syncdb=True)
User.objects.create_superuser("admin")
authors = [Author.objects.create(name=name) for name in ("A. Marsh", "B. Quill", "C. Reyes", "D. Okafor", "E. Lind")]
for number in range(1, 121):
    Book.objects.create(
        title=f"The {KINDS[number % 7]} {THINGS[number % 10]} {number}",
        author=authors[number % 5],
        genre=Book.Genre.values[number % 3],
        year=1900 + number,
        price=f"{5 + number % 40}.50",
        lent=number % 4 == 0,
    )


class Server(ThreadingMixIn, WSGIServer):
    """Browsers hold connections open on which they ask nothing."""

    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = make_server("127.0.0.1", 0, StaticFilesHandler(WSGIHandler()), Server, Silent)
print(server.server_port, flush=True)
server.serve_forever()
