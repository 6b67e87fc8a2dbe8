"""What the admin is about."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Book(models.Model):
    class Genre(models.TextChoices):
        NOVEL = "novel", "Novel"
        POETRY = "poetry", "Poetry"
        TRAVEL = "travel", "Travel"

    title = models.CharField(max_length=200)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    genre = models.CharField(max_length=10, choices=Genre.choices)
    year = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=7, decimal_places=2)
    lent = models.BooleanField(default=False)
    returns = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True)

    def __str__(self):
        return self.title
