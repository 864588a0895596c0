# The voice's condition.

audio_options := $(FPS:%=--fps %) $(CLIP_FRAMES:%=--clip-frames %) $(AUDIO_FLAGS)
$(call keep,audio.options,$(strip $(if $(AUDIO),given: $(realpath audio.safetensors),encode-audio $(audio_options) $(realpath voice weights))))

ifndef AUDIO
audio.safetensors: voice audio.options $(wildcard $(model)/wav2vec2-large-xlsr-53-english/*)
	@$(run) audio encode-audio --overwrite --weights weights $(call quote,$(realpath voice)) $(audio_options) $(device) \
	  $(call metrics,audio) --output $@
endif

audio: audio.safetensors
