"""lxml: a page parsed and searched."""

from lxml import html

PAGE = (
    "<html><body>"
    + "<div class='a'><a href='/x'>one <b>two</b></a><p>text</p></div>" * 2000
    + "</body></html>"
)


def work(number):
    page = html.fromstring(PAGE)
    links = [link.get("href") for link in page.xpath("//div[@class='a']/a")]
    return len(links) + number


def items(folder):
    return list(range(150))
