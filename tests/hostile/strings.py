"""Texts that break out of something: a line, a quote, a template, a path, a terminal."""

from __future__ import annotations

from hypothesis import strategies as st

AWKWARD = (
    "",
    " ",
    ".",
    "..",
    "../outside",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "C:x",
    "CON",
    "nul.txt",
    "-rf",
    "--help",
    "~",
    "x" * 300,
    "a\x00b",
    "a\nb",
    "\r\n",
    "\t",
    "\x1b[31mred\x1b[0m",
    "\x7f",
    "a\u202eb",
    "\u200f",
    "\ufeff",
    "\u2028",
    "\ud800",
    "\udcff",
    "größe",
    "名前",
    "{{ 7*7 }}",
    "{% raw %}",
    "{% endraw %}",
    "{# x #}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch OWNED') }}",
    "$(touch OWNED)",
    "`touch OWNED`",
    "; touch OWNED",
    "| touch OWNED",
    "&& touch OWNED",
    "%s%n",
    "'",
    '"',
    "'''",
    '"""\n__import__("os").system("touch OWNED")\n"""',
    '"]\n[tool.x]\ny = ["',
    "\n__import__('os').system('touch OWNED')\n",
    "# |\n## forged\n",
    "<script>",
    "]]>",
    "!!python/object/apply:os.system [touch OWNED]",
    "&a [*a]",
)

texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.builds(str.__add__, st.sampled_from(AWKWARD), st.sampled_from(AWKWARD)),
    st.text(max_size=40),
)
# What JSON can hold, and what it should not.
values = st.recursive(
    st.one_of(
        texts,
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
