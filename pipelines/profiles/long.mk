# Hours of speech: latents take half the disk, and streaming.mk keeps no frames.
LATENTS_FLAGS = --output-type bf16
CONSUME = yes
PRESET = fast
