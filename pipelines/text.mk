# The prompt's condition, and that of a text to guide away from.

$(call keep,text.options,$(strip $(if $(TEXT),given: $(realpath text.safetensors),encode-text $(TEXT_FLAGS) $(realpath weights))))
text_weights := $(wildcard $(addprefix $(model)/,models_t5_umt5-xxl-enc.safetensors.index.json models_t5_umt5-xxl-enc-bf16.pth google/umt5-xxl/tokenizer.json))

ifndef TEXT
$(call keep,prompt.txt,$(value PROMPT))

text.safetensors: prompt.txt text.options $(text_weights)
	@$(run) text encode-text --overwrite --weights weights --prompt-file $< $(TEXT_FLAGS) $(device) $(call metrics,text) --output $@
endif

ifdef NEGATIVE_PROMPT
$(call keep,negative-prompt.txt,$(value NEGATIVE_PROMPT))

negative-text.safetensors: negative-prompt.txt text.options $(text_weights)
	@$(run) negative-text encode-text --overwrite --weights weights --prompt-file $< $(TEXT_FLAGS) $(device) \
	  $(call metrics,negative-text) --output $@
endif

text: text.safetensors
