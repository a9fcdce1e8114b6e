"""The colours of what matters more and less; legible on light and dark."""

RED, AMBER, GREEN, GREY = "#d9483b", "#c77700", "#3a8f48", "#7a828a"
