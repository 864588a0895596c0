# The picture's latents, and those of poses as long as the voice.

reference_options := $(SIZE:%=--size %) $(REFERENCE_FLAGS)
$(call keep,reference.options,$(strip $(if $(REFERENCE),given: $(realpath reference.safetensors),encode-vae $(reference_options) $(realpath image pose weights))))
vae_weights := $(firstword $(wildcard $(model)/Wan2.1_VAE.safetensors $(model)/Wan2.1_VAE.pth))

ifndef REFERENCE
reference.safetensors: image reference.options $(vae_weights) $(if $(POSE),pose audio.safetensors)
	@$(run) reference encode-vae --overwrite --weights weights $(call quote,$(realpath image)) $(reference_options) \
	  $(if $(POSE),--pose $(call quote,$(realpath pose)) --audio audio.safetensors) $(device) \
	  $(call metrics,reference) --output $@
endif

reference: reference.safetensors
