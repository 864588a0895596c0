# The film: frames and voice. movie.mp4 leads to where it was asked for.

movie_options := $(CRF:%=--crf %) $(PRESET:%=--preset %) $(MOVIE_FLAGS)
$(call keep,movie.options,$(strip mux-video $(movie_options) $(realpath voice)))
mux := mux-video --overwrite --audio $(call quote,$(realpath voice)) frames $(strip $(movie_options)) $(call metrics,movie) \
  --output $(call quote,$(shell readlink movie.mp4))

ifndef FOLLOW
movie.mp4: frames/end.json movie.options voice
	@$(call discard,frames)
	@[ -e frames/end.json ] || $(MAKE) $(call again,frames)
	@$(run) movie $(mux)
endif

movie: movie.mp4
