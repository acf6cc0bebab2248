"""From an edited folder to published knowledge: frozen questions, the gate, kept versions."""
