# batch.mk: a film in the folder OUT for every voice in the folder VOICES, as many at a time as -j says. Prompt and picture are
# encoded once. PIPELINE=streaming.mk makes each film by another pipeline. A voice that fails does not stop the others.

here := $(patsubst %batch.mk,%,$(strip $(MAKEFILE_LIST)))
include $(subst $() ,\ ,$(here))common.mk

PIPELINE = avatar.mk
.DEFAULT_GOAL := $(if $(OUT),films,help)

# Make's lists are separated by blanks, so those in names are written as the one character that no name has.
voices := $(if $(VOICES),$(shell cd $(call quote,$(value VOICES)) && find . -maxdepth 1 -type f ! -name '.*' -printf '%f\n' | sort | tr ' ' /))
numbers := $(if $(voices),$(shell seq $(words $(voices))))
# $(call voice,NUMBER), $(call film,NUMBER): their paths.
voice = $(value VOICES)/$(subst /, ,$(word $(1),$(voices)))
film = $(value OUT)/$(subst /, ,$(basename $(word $(1),$(voices)))).mp4

conditions := $(value OUT)/conditions
# $(call start,PIPELINE,VOICE,FILM): a pipeline for one film.
start = $(MAKE) --no-print-directory -f $(call quote,$(rules)$(1)) VOICE=$(call quote,$(2)) OUT=$(call quote,$(3))

.PHONY: films conditions $(numbers:%=film-%)
films: $(numbers:%=film-%)
	$(if $(voices),,$(error batch.mk: there are no voices in VOICES='$(value VOICES)'))
	@cd $(call quote,$(conditions).work) && if [ -s failed ]; then { echo 'batch.mk: no film was made of'; sort failed; } >&2; exit 1; fi

# With a pose, the picture's latents are as long as the voice, so that each film has its own.
conditions:
	$(if $(filter-out $(words $(voices)),$(words $(sort $(basename $(voices))))),$(error batch.mk: two voices in '$(value VOICES)' have the same name))
	+@$(call start,avatar.mk,$(call voice,1),$(conditions)) text $(if $(POSE),,reference)
	@rm -f $(call quote,$(conditions).work/failed)

# The shell that waits for a failure must not leave its pipeline behind when it is terminated.
$(numbers:%=film-%): film-%: conditions
	+@setpriv --pdeathsig TERM $(call start,$(PIPELINE),$(call voice,$*),$(call film,$*)) \
	  TEXT=$(call quote,$(conditions).work/text.safetensors) \
	  $(if $(POSE),,REFERENCE=$(call quote,$(conditions).work/reference.safetensors)) movie || \
	  printf '%s\n' $(call quote,$(call voice,$*)) >>$(call quote,$(conditions).work/failed)
