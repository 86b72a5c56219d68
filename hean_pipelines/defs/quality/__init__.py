"""Asset checks that hold datasets against each other: venues, published files against REST. The judging is pure (`quality`)."""
