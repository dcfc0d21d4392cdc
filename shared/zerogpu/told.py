"""What ZeroGPU's refusals mean to a visitor, and what to do about each."""

from __future__ import annotations

from shared.errors import BackendError, InferenceError, LimitReached

_ELSEWHERE = "or choose an engine that needs no GPU here: a quantized one, or a hosted one with a key of yours."
# Titles of the package's own errors -> what to add to its words.
_QUOTA = {
    "ZeroGPU quota exceeded": (
        "Sign in to Hugging Face for a quota of your own: without, all who share an address share one, as a class "
        f"behind one Wi-Fi does. Ask for less (fewer steps, a smaller size), wait, {_ELSEWHERE}"
    ),
    "ZeroGPU pending credits exceeded": f"Wait until your other runs have ended, {_ELSEWHERE}",
    "ZeroGPU illegal duration": f"Ask for less (fewer steps or frames, a smaller size), {_ELSEWHERE}",
    "ZeroGPU queue timeout": f"All GPUs are taken. Try again in a minute, {_ELSEWHERE}",
    "ZeroGPU client error": f"Load the page anew, and try again, {_ELSEWHERE}",
}
_ABORTED = "ZeroGPU worker error"


def was_aborted(error: Exception) -> bool:
    """Whether a run was ended from outside: as a rule for taking longer than it asked for."""
    return getattr(error, "title", "") == _ABORTED


def translated(error: Exception, seconds: int) -> InferenceError:
    """The package's error as one of ours. `seconds`: what was asked for.

    Its own are known by their title: it raises Gradio's `Error` for a person, and `RuntimeError` for its own faults.
    """
    title, said = str(getattr(error, "title", "")), str(getattr(error, "message", "")).strip()
    if title in _QUOTA:
        end = "" if said.endswith((".", "!")) else "."
        return LimitReached(f"{said}{end} {_QUOTA[title]}")
    if was_aborted(error):
        return BackendError(
            f"The run was ended from outside ({said}). As a rule it took longer than the {seconds} seconds that were "
            f"asked for. The next try asks for more; or ask for less (fewer steps, a smaller size), {_ELSEWHERE}"
        )
    return BackendError(f"ZeroGPU didn't lend a GPU ({type(error).__name__}). Try again in a minute, {_ELSEWHERE}")
