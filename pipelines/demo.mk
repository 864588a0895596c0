# The demo: the miniature model makes a drawn face say what espeak-ng speaks. Run from the folder above, as `make demo` does.

OUT = build/demo
FACE = pipelines/mini-avatar/faces/blue-hair.png
SPEECH = Hello! I was drawn by one program, and my voice comes from another. A picture, a voice and a line of text became this film.
PROMPT = A calm man with a friendly face is talking to the camera.

.DELETE_ON_ERROR:

demo: $(OUT)/voice.wav
	@$(MAKE) --no-print-directory -f pipelines/avatar.mk WEIGHTS=pipelines/mini-avatar/weights SIZE=128x128 \
	  IMAGE=$(FACE) VOICE=$< PROMPT='$(PROMPT)' OUT=$(OUT)/film.mp4
	@cd $(OUT)/film.mp4.work/logs && for stage in text audio reference latents frames movie; do \
	  printf '%-10s %7s s\n' $$stage "$$(cat $$stage.seconds)"; done
	@echo $(abspath $(OUT)/film.mp4)

$(OUT)/voice.wav: pipelines/demo.mk
	@mkdir -p $(OUT)
	espeak-ng -v en-us -s 150 -w $@ '$(SPEECH)'

.PHONY: demo
