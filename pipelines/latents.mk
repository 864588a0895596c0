# The latents. An interrupted run goes on where it stopped; one with other options starts anew.

lora := $(if $(filter undefined,$(origin LORA)),$(wildcard weights/LiveAvatar),$(wildcard lora))
ifneq ($(GUIDANCE),)
$(if $(NEGATIVE_PROMPT),,$(error GUIDANCE=$(GUIDANCE) needs a NEGATIVE_PROMPT to guide away from))
endif
latents_options := $(STEPS:%=--steps %) $(SOLVER:%=--solver %) $(SEED:%=--seed %) $(CLIPS:%=--clips %) \
  $(PRECISION:%=--precision %) $(ATTENTION:%=--attention %) $(GUIDANCE:%=--guidance %) $(LATENTS_FLAGS)
# The steps are shared by processes only in timestep.mk. Their latents are the same, but what is kept for restarts is not.
$(call keep,latents.options,$(strip denoise-latents $(latents_options) $(if $(word 2,$(PARTS)),$(PARTS)) $(realpath weights $(lora))))

conditions := text audio reference
latents_needs := $(conditions:=.safetensors) $(conditions:=.options) latents.options \
  $(if $(NEGATIVE_PROMPT),negative-text.safetensors) \
  $(wildcard $(model)/config.json $(model)/diffusion_pytorch_model* $(lora)/*.safetensors)

denoise := denoise-latents --weights weights $(lora:%=--lora %) --text text.safetensors --audio audio.safetensors \
  --reference reference.safetensors $(if $(NEGATIVE_PROMPT),--negative-text negative-text.safetensors) \
  $(strip $(latents_options)) --overwrite

latents/end.json: $(latents_needs)
	@$(call discard,latents)
	@$(run) latents $(denoise) $(device) $(call metrics,latents) --output latents
	@touch latents/stream.json $@

latents: latents/end.json
