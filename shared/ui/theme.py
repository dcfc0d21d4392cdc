"""One look for all Spaces: colours, type and spacing, light and dark. System fonts, so nothing is fetched."""

from pathlib import Path

from gradio.themes import Base, Color, Size

_SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

_TEAL = Color(
    c50="#effcf9",
    c100="#d3f6ee",
    c200="#a8ecdf",
    c300="#72dccb",
    c400="#3fc3b2",
    c500="#1aa696",
    c600="#0d857a",
    c700="#0e6a63",
    c800="#105550",
    c900="#124743",
    c950="#042a29",
)
_INK = Color(
    c50="#f7f8f8",
    c100="#eef0f0",
    c200="#dfe3e3",
    c300="#c6cccc",
    c400="#98a1a2",
    c500="#6b7577",
    c600="#4f595b",
    c700="#3b4446",
    c800="#252c2e",
    c900="#171c1e",
    c950="#0e1213",
)

THEME = Base(
    primary_hue=_TEAL,
    secondary_hue=_TEAL,
    neutral_hue=_INK,
    font=_SANS,
    font_mono=_MONO,
    radius_size=Size(xxs="2px", xs="4px", sm="6px", md="10px", lg="12px", xl="16px", xxl="22px", name="radius"),
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_background_fill="white",
    block_background_fill_dark="*neutral_900",
    block_border_color="*neutral_200",
    block_border_color_dark="*neutral_800",
    block_label_text_color="*neutral_600",
    block_label_text_color_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_400",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_700",
    button_primary_text_color="white",
    button_secondary_background_fill="white",
    button_secondary_background_fill_hover="*neutral_100",
    button_secondary_background_fill_dark="*neutral_800",
    button_secondary_background_fill_hover_dark="*neutral_700",
    button_secondary_border_color="*neutral_300",
    button_secondary_border_color_dark="*neutral_700",
    input_background_fill="white",
    input_border_width="1px",
    input_border_color="*neutral_300",
    input_border_color_dark="*neutral_700",
    input_background_fill_dark="*neutral_950",
    input_placeholder_color="*neutral_500",
    checkbox_border_color="*neutral_400",
    checkbox_border_color_dark="*neutral_400",
    button_border_width="1px",
    slider_color="*primary_600",
    shadow_drop="none",
    block_shadow="none",
)

CSS = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
# Run once when a page has been opened.
SCRIPT = (Path(__file__).parent / "accessible.js").read_text(encoding="utf-8")
