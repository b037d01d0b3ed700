// MP4: H.264 in yuv420p through libavcodec, as every player shows it. A module: see module.h.
//
// The container is made in memory, frames are encoded as they come.
#include "draw/movie.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

typedef struct mp4_movie {
    dq_movie movie;
    AVFormatContext *container;
    AVCodecContext *encoder;
    struct SwsContext *scaler;
    AVStream *stream;
    AVFrame *frame;
    AVPacket *packet;
    int64_t count;
} mp4_movie;

static dq_status failed(dq_error *error, const char *what, int number) {
    char reason[AV_ERROR_MAX_STRING_SIZE] = "there is no memory";
    if (number < 0) av_strerror(number, reason, sizeof reason);
    return dq_fail(error, DQ_UNSUPPORTED, "MP4", "%s failed: %s", what, reason);
}

static void destroy(dq_movie *movie) {
    mp4_movie *self = (mp4_movie *)movie;
    if (!self) return;
    if (self->container && self->container->pb) {
        uint8_t *unwanted = NULL;
        avio_close_dyn_buf(self->container->pb, &unwanted);
        av_free(unwanted);
    }
    avformat_free_context(self->container);
    avcodec_free_context(&self->encoder);
    sws_freeContext(self->scaler);
    av_frame_free(&self->frame);
    av_packet_free(&self->packet);
    free(self);
}

static dq_status open_encoder(mp4_movie *self, int width, int height, double frame_rate, dq_error *error) {
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec) codec = avcodec_find_encoder(AV_CODEC_ID_H264);
    if (!codec)
        return dq_fail(
            error, DQ_UNSUPPORTED, "MP4",
            "this machine's libavcodec has no H.264 encoder; install one (libx264), or record a .gif");
    if (!(self->encoder = avcodec_alloc_context3(codec))) return failed(error, "the H.264 encoder", 0);
    AVCodecContext *e = self->encoder;
    e->width = width;
    e->height = height;
    e->pix_fmt = AV_PIX_FMT_YUV420P;
    e->framerate = av_d2q(frame_rate, 100000);
    e->time_base = av_inv_q(e->framerate);
    e->colorspace = AVCOL_SPC_SMPTE170M; // what swscale makes
    e->color_range = AVCOL_RANGE_MPEG;
    e->gop_size = 250;
    if (self->container->oformat->flags & AVFMT_GLOBALHEADER) e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(e->priv_data, "crf", "20", 0); // other encoders than x264 have no such options
    av_opt_set(e->priv_data, "preset", "medium", 0);
    av_opt_set(e->priv_data, "tune", "animation", 0);
    const int number = avcodec_open2(e, codec, NULL);
    return number < 0 ? failed(error, "opening the H.264 encoder", number) : DQ_OK;
}

static dq_status open_container(mp4_movie *self, dq_error *error) {
    self->stream = avformat_new_stream(self->container, NULL);
    if (!self->stream) return failed(error, "the MP4 file", 0);
    self->stream->time_base = self->encoder->time_base;
    self->stream->avg_frame_rate = self->encoder->framerate;
    int number = avcodec_parameters_from_context(self->stream->codecpar, self->encoder);
    if (number >= 0) number = avio_open_dyn_buf(&self->container->pb);
    if (number >= 0) number = avformat_write_header(self->container, NULL);
    return number < 0 ? failed(error, "the MP4 file", number) : DQ_OK;
}

static dq_status create(dq_movie **out, int width, int height, double frame_rate, dq_error *error) {
    av_log_set_level(AV_LOG_QUIET); // what goes wrong comes back as a sentence
    mp4_movie *self = calloc(1, sizeof *self);
    if (!self) return failed(error, "the MP4 file", 0);
    int number = avformat_alloc_output_context2(&self->container, NULL, "mp4", NULL);
    dq_status status = number < 0 ? failed(error, "the MP4 file", number) : DQ_OK;
    if (!status) status = open_encoder(self, width, height, frame_rate, error);
    if (!status) status = open_container(self, error);
    if (status) goto fail;
    self->packet = av_packet_alloc();
    self->frame = av_frame_alloc();
    self->scaler = sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                                  SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    if (!self->packet || !self->frame || !self->scaler) {
        status = failed(error, "the MP4 file", 0);
        goto fail;
    }
    self->frame->format = AV_PIX_FMT_YUV420P;
    self->frame->width = width;
    self->frame->height = height;
    number = av_frame_get_buffer(self->frame, 0);
    if (number < 0) {
        status = failed(error, "the MP4 file", number);
        goto fail;
    }
    *out = &self->movie;
    return DQ_OK;
fail:
    destroy(&self->movie);
    return status;
}

// Hands a frame (NULL: the end) to the encoder and what comes out of it to the container.
static dq_status encode(mp4_movie *self, const AVFrame *frame, dq_error *error) {
    int number = avcodec_send_frame(self->encoder, frame);
    while (number >= 0) {
        number = avcodec_receive_packet(self->encoder, self->packet);
        if (number == AVERROR(EAGAIN) || number == AVERROR_EOF) return DQ_OK;
        if (number < 0) break;
        self->packet->duration = 1;
        av_packet_rescale_ts(self->packet, self->encoder->time_base, self->stream->time_base);
        self->packet->stream_index = self->stream->index;
        number = av_interleaved_write_frame(self->container, self->packet);
    }
    return failed(error, "encoding H.264", number);
}

static dq_status add(dq_movie *movie, const uint8_t *rgb, dq_error *error) {
    mp4_movie *self = (mp4_movie *)movie;
    const uint8_t *planes[4] = {rgb};
    const int strides[4] = {3 * movie->width};
    const int number = av_frame_make_writable(self->frame);
    if (number < 0) return failed(error, "encoding H.264", number);
    sws_scale(self->scaler, planes, strides, 0, movie->height, self->frame->data, self->frame->linesize);
    self->frame->pts = self->count++;
    return encode(self, self->frame, error);
}

static dq_status finish(dq_movie *movie, unsigned char **data, size_t *size, dq_error *error) {
    mp4_movie *self = (mp4_movie *)movie;
    dq_status status = encode(self, NULL, error);
    if (status) return status;
    int number = av_write_trailer(self->container);
    if (number < 0) return failed(error, "the MP4 file", number);
    uint8_t *buffer = NULL;
    const int length = avio_close_dyn_buf(self->container->pb, &buffer);
    self->container->pb = NULL;
    *data = length > 0 ? malloc((size_t)length) : NULL; // libav's memory is not free()'s
    if (*data) memcpy(*data, buffer, (size_t)length);
    *size = (size_t)length;
    av_free(buffer);
    return *data ? DQ_OK : failed(error, "the MP4 file", 0);
}

extern DQ_API const dq_movie_class dq_movie_mp4;
const dq_movie_class dq_movie_mp4 = {
    .ending = ".mp4",
    .most_frames = 240,
    .usual_frames = 50,
    .even = true,
    .create = create,
    .add = add,
    .finish = finish,
    .destroy = destroy,
};
