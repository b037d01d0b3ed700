// Drawing a network as an SVG text: boxes from left to right, joined by lines; colours that serve light and
// dark pages.
#include "network_draw.h"

#include "base/file.h"
#include "cli.h"
#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BOX = 92, GAP = 34, TOP = 24, TALLEST = 170, BELOW = 96, SIDE = 16 };

static void describe_shape(dq_shape shape, char *text, size_t size) {
    if (shape.height * shape.width == 1)
        snprintf(text, size, "%d", shape.channels);
    else
        snprintf(text, size, "%dx%dx%d", shape.height, shape.width, shape.channels);
}

char *network_describe(const dq_layer *layer, char *text, size_t size) {
    static const char *const activations[] = {"", ", relu", ", leaky_relu"};
    char in[40], out[40], window[40] = "";
    describe_shape(layer->in_shape, in, sizeof in);
    describe_shape(layer->out_shape, out, sizeof out);
    if (layer->spec.kernel > 0)
        snprintf(window, sizeof window, " %dx%d/%d", layer->spec.kernel, layer->spec.kernel,
                 layer->spec.stride);
    snprintf(text, size, "%s%s %s -> %s%s", layer->class->kind, window, in, out,
             layer->class->activation ? "" : activations[layer->activation.kind]);
    return text;
}

// What of a layer's parameters is frozen: 0 to 1; -1 where it has none.
static double frozen_share(const dq_net *net, const dq_layer *layer, int64_t *parameters) {
    int64_t all = 0, frozen = 0;
    for (int k = 0; k < layer->tensor_count; k++) {
        const dq_tensor *t = &net->tensors[layer->tensor[k]];
        if (!t->trainable) continue;
        all += (int64_t)t->rows * t->columns;
        if (t->frozen) frozen += (int64_t)t->rows * t->columns;
    }
    *parameters = all;
    return all > 0 ? (double)frozen / (double)all : -1;
}

static double height_of(int features) {
    return fmin(24 + 18 * log2(1.0 + features), TALLEST);
}

static void put_box(FILE *out, int column, int features, const char *css, const char *head,
                    const char *const *lines, int count) {
    const double height = height_of(features), x = SIDE + column * (BOX + GAP), middle = TOP + TALLEST / 2.0;
    if (column > 0) fprintf(out, "<path class=\"l\" d=\"M%.0f %.0fh%d\"/>\n", x - GAP + 4, middle, GAP - 10);
    fprintf(out, "<rect class=\"%s\" x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" rx=\"5\"/>\n", css, x,
            middle - height / 2, BOX, height);
    fprintf(out, "<text class=\"h\" x=\"%.0f\" y=\"%.0f\">%s</text>\n", x + BOX / 2.0, middle + 5, head);
    for (int i = 0; i < count; i++)
        fprintf(out, "<text x=\"%.0f\" y=\"%d\">%s</text>\n", x + BOX / 2.0, TOP + TALLEST + 22 + 16 * i,
                lines[i]);
}

static void put_layer(FILE *out, const dq_net *net, const dq_layer *layer, int column) {
    static const char *const activations[] = {"", "relu", "leaky_relu"};
    int64_t parameters;
    const double frozen = frozen_share(net, layer, &parameters);
    char shape[40], kind[64], count[32], weights[48];
    describe_shape(layer->out_shape, shape, sizeof shape);
    snprintf(kind, sizeof kind, "%s", layer->class->kind);
    if (layer->spec.kernel > 0)
        snprintf(kind, sizeof kind, "%s %dx%d/%d", layer->class->kind, layer->spec.kernel, layer->spec.kernel,
                 layer->spec.stride);
    snprintf(weights, sizeof weights, "%s weights", cli_count(count, sizeof count, parameters));
    const char *lines[5] = {layer->name, kind};
    int used = 2;
    if (!layer->class->activation && layer->activation.kind != DQ_NONLINEARITY_NONE)
        lines[used++] = activations[layer->activation.kind];
    if (parameters > 0) lines[used++] = weights;
    if (frozen > 0) lines[used++] = frozen < 1 ? "partly frozen" : "frozen";
    put_box(out, column, layer->out, frozen < 0 ? "n" : frozen == 1 ? "f" : "t", shape, lines, used);
}

static void put_drawing(FILE *out, const dq_policy *policy) {
    const dq_net *net = dq_policy_net(policy);
    const dq_run_config *config = dq_policy_config(policy);
    char observations[32], actions[32];
    const int columns = net->layer_count + 2;
    const int width = 2 * SIDE + columns * BOX + (columns - 1) * GAP, height = TOP + TALLEST + BELOW;
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "font-family=\"DejaVu Sans, sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n"
        "<style>text{fill:#52606d}.h{fill:#102a43;font-size:14px;font-weight:bold}.l{stroke:#829ab1;"
        "stroke-width:2}.t{fill:#8fc1ea;stroke:#2b6cb0}.n{fill:#d9e2ec;stroke:#829ab1}.f{fill:url(#i);"
        "stroke:#486581;stroke-dasharray:4 3}</style>\n"
        "<defs><pattern id=\"i\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect width=\"8\" height=\"8\" fill=\"#e4e7eb\"/><rect width=\"3\" "
        "height=\"8\" fill=\"#bcccdc\"/></pattern></defs>\n"
        "<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#ffffff\"/>\n",
        width, height, width, height, width, height);
    snprintf(observations, sizeof observations, "%d", dq_policy_input(policy)->size);
    snprintf(actions, sizeof actions, "%d", dq_policy_actions(policy));
    put_box(out, 0, dq_policy_input(policy)->size, "n", observations,
            (const char *[]){"observation", config->env}, 2);
    for (int i = 0; i < net->layer_count; i++) put_layer(out, net, &net->layers[i], i + 1);
    put_box(out, columns - 1, dq_policy_actions(policy), "n", actions,
            (const char *[]){"Q values", "one an action"}, 2);
    fputs("</svg>\n", out);
}

dq_status network_draw(const char *path, const dq_policy *policy, dq_error *error) {
    const char *ending = strrchr(path, '.');
    if (!ending || strcmp(ending, ".svg") != 0)
        return dq_fail(error, DQ_USAGE, path, "a network is drawn as an SVG; give -o FILE.svg");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return dq_fail(error, DQ_MEMORY, path, "out of memory");
    put_drawing(out, policy);
    const bool whole = !ferror(out) & (fclose(out) == 0);
    const dq_status status =
        whole ? dq_file_replace(path, text, size, error) : dq_fail(error, DQ_MEMORY, path, "out of memory");
    free(text);
    return status;
}
