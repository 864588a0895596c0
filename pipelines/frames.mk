# The frames of the film.

$(call keep,frames.options,$(strip decode-vae $(FRAMES_FLAGS) $(realpath weights)))
decode := decode-vae --weights weights latents $(FRAMES_FLAGS) --overwrite --output frames

frames/end.json: latents/end.json frames.options $(vae_weights)
	@$(call discard,latents)
	@[ -e latents/end.json ] || $(MAKE) $(call again,latents)
	@$(call discard,frames)
	@$(run) frames $(decode) $(device) $(call metrics,frames)
	@touch frames/stream.json $@

frames: frames/end.json
