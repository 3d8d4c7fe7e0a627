"""The filter quote_env."""

import subprocess

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.berth.supabase.plugins.filter.quote_env import FilterModule
from hypothesis import given
from hypothesis import strategies as st

quote_env = FilterModule().filters()["quote_env"]


def test_text_is_quoted_with_what_means_something_there() -> None:
    assert quote_env(r'plain 100% {{ .Email }} "quoted" $HOME `id` a\b') == (
        r'"plain 100% {{ .Email }} \"quoted\" \$HOME \`id\` a\\b"'
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_a_shell_reads_the_same_text(text: str) -> None:
    # the quoting rules of systemd are those of the shell
    done = subprocess.run(["sh", "-c", f"printf %s {quote_env(text)}"], capture_output=True, check=True)
    assert done.stdout.decode() == text


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\0"])
def test_more_than_one_line_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(AnsibleFilterError, match="more than one line") as refused:
        quote_env(text + "secret")
    assert "secret" not in str(refused.value)
