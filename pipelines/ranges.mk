# The frames, in ranges of blocks that are decoded apart.

$(call keep,frames.options,$(strip decode-vae $(FRAMES_FLAGS) $(realpath weights)))

ifeq ($(shell [[ $(call quote,$(RANGES)) =~ ^0*[1-9][0-9]*$$ ]] && echo whole),)
$(error RANGES='$(RANGES)' must be a whole number of at least 1)
endif

# How many blocks there are is known when the latents are complete; then Make is asked again, for the parts.
frames/end.json: latents/end.json frames.options $(vae_weights)
	@$(call discard,latents)
	@[ -e latents/end.json ] || $(MAKE) $(call again,latents)
	@$(call discard,frames)
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) \
	  BLOCKS="$$(sed -n 's/^ *"blocks" : \([0-9]*\).*/\1/p' latents/end.json)" parts
	@touch frames/stream.json $@

# FIRST-END of each range that is not empty.
ranges := $(if $(BLOCKS),$(shell awk 'BEGIN { for (n = 0; n < $(RANGES); n++) \
  if ((first = int(n * $(BLOCKS) / $(RANGES))) < (end = int((n + 1) * $(BLOCKS) / $(RANGES)))) printf "%06d-%06d ", first, end }'))

.PHONY: parts
parts: $(ranges:%=frames/part-%.json)

frames/part-%.json: latents/end.json frames.options $(vae_weights)
	@$(LAUNCH) $(run) frames-$* decode-vae --weights weights latents --blocks '$(subst -,..<,$*)' $(FRAMES_FLAGS) \
	  --overwrite $(device) $(call metrics,frames-$*) --output frames
	@touch $@

frames: frames/end.json
