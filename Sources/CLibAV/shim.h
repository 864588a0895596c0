// libav as Swift sees it. Macros that Swift cannot import become constants here.
// Needs libavutil 57.28 (FFmpeg 5.1, Debian 12) or later, for AVChannelLayout.

#ifndef CLIBAV_SHIM_H
#define CLIBAV_SHIM_H

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

/// A codec has nothing more to give.
static const int clibav_end_of_file = AVERROR_EOF;
/// A codec wants more input first, or its output taken first.
static const int clibav_again = AVERROR(EAGAIN);
/// Memory ran out.
static const int clibav_no_memory = AVERROR(ENOMEM);
/// A file of no known form, or a damaged one.
static const int clibav_invalid_data = AVERROR_INVALIDDATA;
/// A time stamp that is not known.
static const int64_t clibav_no_time = AV_NOPTS_VALUE;

#endif
