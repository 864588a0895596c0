# All stages that write streams at once, each following the one before; for each of PARTS, a denoiser of its steps.

# A reader cannot tell a finished stream from one that is about to be replaced, so what is out of date goes before it starts.
latents/stream.json: $(latents_needs)
	@rm -rf latents after-step-*

frames/stream.json: latents/stream.json frames.options $(vae_weights)
	@rm -rf frames

# $(call stream_after,PART): the stream behind the last step of a part.
stream_after = $(patsubst after-step-$(STEPS),latents,after-step-$(lastword $(subst -, ,$(1))))
# $(call device_of,NUMBER): the device of a part, or behind the last part, of the decoder. The last of DEVICES is for all that follow.
device_of = $(or $(word $(1),$(DEVICES)),$(lastword $(DEVICES)),$(DEVICE))
# A denoiser that has the decoder beside it on a card leaves it so much: measured, 0.8 GB and 15 KB a pixel.
DECODER_MEMORY = $(shell echo $$((1 + ($(subst x, * ,$(SIZE)) * 15 + 999999) / 1000000)))GiB
decoder_device = $(call device_of,$(words decoder $(PARTS)))
# $(call room_of,NUMBER)
room_of = $(if $(filter cuda%,$(filter $(decoder_device),$(call device_of,$(1)))),$(DECODER_MEMORY:%=--leave-memory %))
# CONSUME is empty, yes for frames, or all. So many blocks lie on the disk at most, lest a slow reader let it fill.
consume_latents = $(if $(filter all,$(CONSUME)),--consume)
most_latents = $(if $(filter all,$(CONSUME)),--max-blocks 400)
most_frames = $(if $(CONSUME),--max-blocks 100)
# $(call denoiser,NUMBER,PART,PART BEFORE)
denoiser = steps-$(2) $(denoise) --step-range $(2) $(if $(3),--input $(call stream_after,$(3)) --follow $(consume_latents)) \
  $(if $(filter latents,$(call stream_after,$(2))),,--refresh-from latents --follow) \
  $(call at,$(call device_of,$(1))) $(call room_of,$(1)) $(most_latents) $(call metrics,steps-$(2)) --output $(call stream_after,$(2)) --

numbers := $(shell seq $(words $(PARTS)))
denoisers := $(foreach n,$(numbers),$(call denoiser,$(n),$(word $(n),$(PARTS)),$(filter-out first,$(word $(n),first $(PARTS)))))

ifneq ($(call stream_after,$(lastword $(PARTS))),latents)
$(error PARTS='$(PARTS)' must end with step $(STEPS))
endif

# What was consumed has to be there again for a film to be made again.
movie.mp4: latents/stream.json frames/stream.json movie.options voice
	@for file in {latents,after-step-*}/consumed.json; do [ ! -e "$$file" ] || rm -rf latents after-step-* frames; done
	@$(call discard,frames)
	@$(run) $(denoisers) \
	  frames $(decode) --follow $(consume_latents) $(most_frames) $(call at,$(decoder_device)) \
	  $(call metrics,frames) -- movie $(mux) --follow $(if $(CONSUME),--consume)
