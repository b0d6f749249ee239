"""``tagger completion``: what makes a shell complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tagger.cli.output import say
from tagger.errors import TaggerError

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_TAGGER_COMPLETE"


# click leaves the lines of a paragraph that begins so as they are.
_AS_IT_STANDS = "\b\n"
_HOW = (
    "bash:  tagger completion bash > ~/.local/share/bash-completion/completions/tagger\n"
    "zsh:   tagger completion zsh > ~/.zfunc/_tagger    (a folder of $fpath)"
)


@click.command("completion", epilog=_AS_IT_STANDS + _HOW)
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print a script that makes a shell complete commands, options, genres, models and runs.

    Example: tagger completion fish > ~/.config/fish/completions/tagger.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise TaggerError(f"nothing is known of {shell}")
    root = click.get_current_context().find_root().command
    say(found(root, {}, "tagger", _VARIABLE).source().strip())
    return 0
