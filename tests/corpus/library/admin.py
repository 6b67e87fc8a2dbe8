"""How the admin shows it."""

from django.contrib import admin

from .models import Author, Book


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "genre", "year", "price", "lent"]
    list_filter = ["genre", "lent", "author"]
    list_per_page = 100
    ordering = ["id"]
    search_fields = ["title"]
