# What the pipelines have in common: help, variables, and the work folder in which the stages run.
#
# Make cannot name files with blanks in them, but people do. So a pipeline is entered twice. Where you are, it makes the
# work folder OUT.work, in which picture, voice, weights, film and rule files are links with short names, and starts
# itself there with IN_WORK set. The stages then know nothing but that folder.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:

stages := text audio reference latents frames movie
.PHONY: help enter $(stages)

# $(call quote,TEXT): one word for the shell.
quote = '$(subst ','\'',$(1))'

ifndef IN_WORK

.DEFAULT_GOAL := $(if $(OUT),movie,help)

# $(call absolute,PATH): a path that leads to the same file from anywhere; nothing of nothing.
absolute = $(if $(filter /%,$(firstword $(1))),$(1),$(if $(1),$(CURDIR)/$(1)))
# $(call link,NAME,VARIABLE): arguments for open-work: a name, and the path that a variable gives, as it was typed.
link = $(1) $(call quote,$(call absolute,$(value $(2))))

pipeline := $(firstword $(filter %.mk,$(subst $(here),,$(MAKEFILE_LIST))))
rules := $(call absolute,$(or $(here),./))
work = $(call absolute,$(value OUT)).work

# The tools of this checkout if it has built some, else those that are installed.
export PATH := $(call absolute,$(or $(BIN),$(here)../.build/release)):$(PATH)

missing = $(strip $(foreach name,OUT WEIGHTS VOICE $(if $(TEXT),,PROMPT) $(if $(REFERENCE),,IMAGE),$(if $(value $(name)),,$(name))))

help:
	@cat $(call quote,$(rules)help.txt)
	@sed '/^#/!Q; s/^# \?//' $(call quote,$(rules)$(pipeline))

$(stages): enter
	@:

enter:
	$(if $(missing),$(error $(pipeline): please set $(missing)))
	@$(call quote,$(rules)open-work) $(call quote,$(work)) $(call quote,$(call absolute,$(value OUT))) pipelines $(call quote,$(rules)) \
	  $(call link,weights,WEIGHTS) $(call link,lora,LORA) $(call link,voice,VOICE) $(call link,image,IMAGE) \
	  $(call link,pose,POSE) $(call link,text.safetensors,TEXT) $(call link,audio.safetensors,AUDIO) \
	  $(call link,reference.safetensors,REFERENCE) && \
	$(MAKE) --no-print-directory -C $(call quote,$(work)) -f pipelines/$(pipeline) IN_WORK=yes \
	  $(or $(filter $(stages),$(MAKECMDGOALS)),movie)

else

PROFILE = standard
include pipelines/profiles/standard.mk
ifneq ($(PROFILE),standard)
$(if $(wildcard pipelines/profiles/$(PROFILE).mk),,$(error there is no PROFILE '$(PROFILE)', but $(basename $(notdir $(wildcard pipelines/profiles/*.mk)))))
include pipelines/profiles/$(PROFILE).mk
endif

# Runs a stage: its name, then its command. Keeps its log and how long it took.
run := pipelines/run-together
# $(call metrics,STAGE)
metrics = --metrics logs/$(1).metrics.jsonl
# $(call at,DEVICE): options for computing there. A stage that is not one of several at once takes the first of DEVICES.
at = $(1:%=--device %) $(MEMORY_LIMIT:%=--memory-limit %)
device := $(call at,$(or $(DEVICE),$(firstword $(DEVICES))))
model := $(firstword $(wildcard weights/Wan2.2-S2V-14B) weights)

# $(call discard,STREAM): a recipe's line that takes a stream away of which streaming.mk CONSUME=... has deleted blocks, so that it is made
# again. $(call again,STREAM): options of a Make that does so, where that comes to light in the recipe of what reads it.
discard = if [ -e $(1)/consumed.json ]; then rm -rf $(1); fi
again = --no-print-directory -f $(firstword $(MAKEFILE_LIST)) $(1)

# $(call keep,FILE,TEXT): keeps TEXT in FILE, which changes only when TEXT does.
keep = $(if $(and $(wildcard $(1)),$(call same,$(2),$(file <$(1)))),,$(file >$(1),$(2)))
same = $(if $(subst x$(1),,x$(2))$(subst x$(2),,x$(1)),,same)

endif
