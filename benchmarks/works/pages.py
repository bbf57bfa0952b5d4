"""Jinja2: a page rendered."""

from jinja2 import Environment

PAGE = Environment(autoescape=True).from_string(
    "<ul>{% for n in range(1500) %}<li class='{{ 'odd' if n % 2 else 'even' }}'>"
    "{{ name|upper }} {{ n * 3 }}</li>{% endfor %}</ul>"
)


def work(number):
    return len(PAGE.render(name=f"<{number}>"))


def items(folder):
    return list(range(300))
