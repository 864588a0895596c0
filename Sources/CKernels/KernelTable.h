// The table of one instruction set, named by TABLE; included last by each of them.

const struct kernel_table TABLE = {
    .name = TABLE_NAME,
#ifdef HAS_PAIRS
    .has_pairs = 1,
#endif
    .panel = PANEL,
    .rows = ROWS,
    .widen = widen,
    .narrow = narrow,
    .magnitude = magnitude,
    .to_int8 = to_int8,
    .to_float8 = to_float8,
    .from_int8 = from_int8,
    .from_float8 = from_float8,
    .scale_sums = scale_sums,
    .activate = activate,
    .multiply = multiply,
    .add = add,
    .affine = affine,
    .layer_norm = layer_norm,
    .rms_norm = rms_norm,
    .channel_norm = channel_norm,
    .rotate = rotate,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .winograd_scratch = winograd_scratch,
    .winograd = winograd,
};
