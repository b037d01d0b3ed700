// The functions that an exported C file may need (export/c99.c), as text; '$' stands for the policy's name.
// Each is the one-sample pass of a layer or head, in the order of additions that the library has.
#ifndef DQ_EXPORT_C99_TEXT_H
#define DQ_EXPORT_C99_TEXT_H

static const char linear_text[] =
    "/* y = w x + b; 16 running sums, added as a tree: the order in which deepq adds. */\n"
    "static void $_linear(const float *w, const float *b, const float *x, int rows, int columns, float *y) "
    "{\n"
    "    int r, i, l;\n"
    "    for (r = 0; r < rows; r++, w += columns) {\n"
    "        float s[16] = {0};\n"
    "        for (i = 0; i + 16 <= columns; i += 16)\n"
    "            for (l = 0; l < 16; l++) s[l] = $_FMA(w[i + l], x[i + l], s[l]);\n"
    "        for (l = 0; l < 16 && i + l < columns; l++) s[l] = $_FMA(w[i + l], x[i + l], s[l]);\n"
    "        for (l = 8; l > 0; l /= 2)\n"
    "            for (i = 0; i < l; i++) s[i] += s[i + l];\n"
    "        y[r] = s[0] + b[r];\n"
    "    }\n"
    "}\n\n";

static const char linear8_text[] =
    "/* y = scale w x + b, the weights in 8 bits with one scale a row. */\n"
    "static void $_linear8(const signed char *w, const float *scale, const float *b, const float *x,\n"
    "                      int rows, int columns, float *y) {\n"
    "    int r, i, l;\n"
    "    for (r = 0; r < rows; r++, w += columns) {\n"
    "        float s[16] = {0};\n"
    "        for (i = 0; i + 16 <= columns; i += 16)\n"
    "            for (l = 0; l < 16; l++) s[l] = $_FMA((float)w[i + l], x[i + l], s[l]);\n"
    "        for (l = 0; l < 16 && i + l < columns; l++) s[l] = $_FMA((float)w[i + l], x[i + l], s[l]);\n"
    "        for (l = 8; l > 0; l /= 2)\n"
    "            for (i = 0; i < l; i++) s[i] += s[i + l];\n"
    "        y[r] = scale[r] * s[0] + b[r];\n"
    "    }\n"
    "}\n\n";

static const char normalize_text[] = "/* y = (x - center) scale, cut to +-clip. */\n"
                                     "static void $_normalize(const float *center, const float *scale, float "
                                     "clip, const float *x, int n, float "
                                     "*y) {\n"
                                     "    int i;\n"
                                     "    for (i = 0; i < n; i++) {\n"
                                     "        float v = (x[i] - center[i]) * scale[i];\n"
                                     "        y[i] = v > clip ? clip : v < -clip ? -clip : v;\n"
                                     "    }\n"
                                     "}\n\n";

static const char affine_text[] =
    "static void $_affine(const float *scale, const float *b, const float *x, int n, float *y) {\n"
    "    int i;\n"
    "    for (i = 0; i < n; i++) y[i] = x[i] * scale[i] + b[i];\n"
    "}\n\n";

static const char layer_norm_text[] =
    "/* y = (x - mean) / sqrt(variance + epsilon) scale + b, over the n features. */\n"
    "static void $_layer_norm(const float *scale, const float *b, double epsilon, const float *x, int n, "
    "float "
    "*y) {\n"
    "    double sum = 0, square = 0;\n"
    "    float mean, inverse;\n"
    "    int i;\n"
    "    for (i = 0; i < n; i++) sum += (double)x[i];\n"
    "    sum /= n;\n"
    "    for (i = 0; i < n; i++) square += ((double)x[i] - sum) * ((double)x[i] - sum);\n"
    "    mean = (float)sum;\n"
    "    inverse = (float)(1.0 / sqrt(square / n + epsilon));\n"
    "    for (i = 0; i < n; i++) y[i] = (x[i] - mean) * inverse * scale[i] + b[i];\n"
    "}\n\n";

static const char dueling_text[] =
    "/* value and advantages of n outputs each: y = value + advantage - mean advantage. */\n"
    "static void $_dueling(const float *x, int n, int actions, float *y) {\n"
    "    const float share = 1.0f / (float)actions;\n"
    "    int i, a;\n"
    "    for (i = 0; i < n; i++) {\n"
    "        float base = 0;\n"
    "        for (a = 0; a < actions; a++) base += x[n + a * n + i];\n"
    "        base = x[i] - base * share;\n"
    "        for (a = 0; a < actions; a++) y[a * n + i] = base + x[n + a * n + i];\n"
    "    }\n"
    "}\n\n";

static const char mean_text[] = "/* the mean of n outputs for each action */\n"
                                "static void $_mean(const float *x, int n, int actions, float *y) {\n"
                                "    const float share = 1.0f / (float)n;\n"
                                "    int i, a;\n"
                                "    for (a = 0; a < actions; a++, x += n) {\n"
                                "        float sum = 0;\n"
                                "        for (i = 0; i < n; i++) sum += x[i];\n"
                                "        y[a] = sum * share;\n"
                                "    }\n"
                                "}\n\n";

static const char expectation_text[] =
    "/* e^x for x in -87 to 0, after Cephes (Moshier). */\n"
    "static float $_exp(float x) {\n"
    "    union { float f; int i; } power;\n"
    "    float n, r, y;\n"
    "    x = x > -87.0f ? x : -87.0f;\n"
    "    n = x * 1.44269504088896341f + 12582912.0f; /* rounds to a whole number */\n"
    "    n = n - 12582912.0f;\n"
    "    r = x - n * 0.693359375f;\n"
    "    r = r - n * -2.12194440e-4f;\n"
    "    y = 1.9875691500e-4f;\n"
    "    y = y * r + 1.3981999507e-3f;\n"
    "    y = y * r + 8.3334519073e-3f;\n"
    "    y = y * r + 4.1665795894e-2f;\n"
    "    y = y * r + 1.6666665459e-1f;\n"
    "    y = y * r + 5.0000001201e-1f;\n"
    "    y = y * (r * r) + r + 1.0f;\n"
    "    power.i = ((int)n + 127) * (1 << 23);\n"
    "    return y * power.f;\n"
    "}\n\n"
    "/* the mean of the values first + i spacing under softmax(x), for each action */\n"
    "static void $_expectation(const float *x, int n, int actions, float first, float spacing, float *y) {\n"
    "    int i, a;\n"
    "    for (a = 0; a < actions; a++, x += n) {\n"
    "        float top = x[0], sum = 0, moment = 0;\n"
    "        for (i = 1; i < n; i++) top = x[i] > top ? x[i] : top;\n"
    "        for (i = 0; i < n; i++) {\n"
    "            float power = $_exp(x[i] - top);\n"
    "            sum += power;\n"
    "            moment += (float)i * power;\n"
    "        }\n"
    "        y[a] = first + spacing * (moment / sum);\n"
    "    }\n"
    "}\n\n";

static const char relu_text[] = "static void $_relu(float *y, int n) {\n"
                                "    int i;\n"
                                "    for (i = 0; i < n; i++) y[i] = 0.0f > y[i] ? 0.0f : y[i];\n"
                                "}\n\n";

static const char leaky_text[] = "static void $_leaky(float slope, float *y, int n) {\n"
                                 "    int i;\n"
                                 "    for (i = 0; i < n; i++) y[i] = y[i] > 0.0f ? y[i] : slope * y[i];\n"
                                 "}\n\n";

static const char unit_text[] = "static void $_unit(const unsigned char *x, int n, float *y) {\n"
                                "    int i;\n"
                                "    for (i = 0; i < n; i++) y[i] = (float)x[i] * (1.0f / 255.0f);\n"
                                "}\n\n";

static const char divide_text[] = "static void $_unit(const unsigned char *x, int n, float *y) {\n"
                                  "    int i;\n"
                                  "    for (i = 0; i < n; i++) y[i] = (float)x[i] / 255.0f;\n"
                                  "}\n\n";

static const char add_text[] = "static void $_add(const float *x, const float *other, int n, float *y) {\n"
                               "    int i;\n"
                               "    for (i = 0; i < n; i++) y[i] = x[i] + other[i];\n"
                               "}\n\n";

// The type and the scales of the weights, and how a sum starts, differ between floats and 8 bits.
#define CONV_TEXT(type, scales, sum)                                                                         \
    "/* A convolution over images [height][width][channels]; w: [kernel][kernel][channels][out]. Sums run "  \
    "in\n"                                                                                                   \
    "   blocks of at most `terms` terms, as deepq's do. */\n"                                                \
    "static void $_conv(const " type " *w, " scales                                                          \
    "const float *b, const float *x, int height, int width,\n"                                               \
    "                   int channels, int kernel, int stride, int padding, int terms, int out_height,\n"     \
    "                   int out_width, int out, float *y) {\n"                                               \
    "    const int elements = kernel * kernel * channels, blocks = (elements + terms - 1) / terms;\n"        \
    "    int oy, ox, k, e, o;\n"                                                                             \
    "    for (oy = 0; oy < out_height; oy++)\n"                                                              \
    "        for (ox = 0; ox < out_width; ox++, y += out)\n"                                                 \
    "            for (k = 0; k < blocks; k++) {\n"                                                           \
    "                const int last = elements * (k + 1) / blocks;\n"                                        \
    "                float s[$_CHANNELS];\n"                                                                 \
    "                for (o = 0; o < out; o++) s[o] = " sum ";\n"                                            \
    "                for (e = elements * k / blocks; e < last; e++) {\n"                                     \
    "                    const int iy = oy * stride + e / channels / kernel - padding;\n"                    \
    "                    const int ix = ox * stride + e / channels % kernel - padding;\n"                    \
    "                    const " type " *row = w + e * out;\n"                                               \
    "                    float v;\n"                                                                         \
    "                    if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;\n"                   \
    "                    v = x[(iy * width + ix) * channels + e % channels];\n"                              \
    "                    for (o = 0; o < out; o++) s[o] = $_FMA(v, (float)row[o], s[o]);\n"                  \
    "                }\n"

static const char conv_text[] =
    CONV_TEXT("float", "",
              "k ? 0.0f : b[o]") "                for (o = 0; o < out; o++) y[o] = k ? y[o] + s[o] : s[o];\n"
                                 "            }\n"
                                 "}\n\n";

static const char conv8_text[] = CONV_TEXT(
    "signed char", "const float *scale, ",
    "0.0f") "                for (o = 0; o < out; o++) y[o] = (k ? y[o] : b[o]) + scale[o] * s[o];\n"
            "            }\n"
            "}\n\n";

static const char max_pool_text[] =
    "/* The largest of each window, channel by channel. */\n"
    "static void $_max_pool(const float *x, int height, int width, int channels, int kernel, int stride,\n"
    "                       int padding, int out_height, int out_width, float *y) {\n"
    "    int oy, ox, ky, kx, c;\n"
    "    for (oy = 0; oy < out_height; oy++)\n"
    "        for (ox = 0; ox < out_width; ox++, y += channels) {\n"
    "            int any = 0;\n"
    "            for (ky = 0; ky < kernel; ky++)\n"
    "                for (kx = 0; kx < kernel; kx++) {\n"
    "                    const int iy = oy * stride + ky - padding, ix = ox * stride + kx - padding;\n"
    "                    const float *from = x + (iy * width + ix) * channels;\n"
    "                    if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;\n"
    "                    for (c = 0; c < channels; c++) y[c] = any && y[c] >= from[c] ? y[c] : from[c];\n"
    "                    any = 1;\n"
    "                }\n"
    "        }\n"
    "}\n\n";

static const char activation_text[] = "static void $_copy(const float *x, int n, float *y) {\n"
                                      "    int i;\n"
                                      "    for (i = 0; i < n; i++) y[i] = x[i];\n"
                                      "}\n\n";

static const char fma_text[] =
    "/* a b + c, rounded once. The second form does so in doubles; for a processor without either, that may\n"
    "   differ from deepq in last bits, define it as ((a) * (b) + (c)). */\n"
    "#ifndef $_FMA\n"
    "#ifdef __FP_FAST_FMAF\n"
    "#define $_FMA(a, b, c) __builtin_fmaf(a, b, c)\n"
    "#else\n"
    "#define $_FMA(a, b, c) ((float)((double)(a) * (double)(b) + (double)(c)))\n"
    "#endif\n"
    "#endif\n\n";

#endif
