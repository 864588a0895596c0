# Draws what Tests/soak-test measured (LOG=FILE) as SVG:
#
#   awk -f Benchmarks/Soak/plot.awk soak.tsv > soak.svg

BEGIN {
    FS = "\t"
    width = 860; height = 240; left = 60; right = 150; top = 30; gap = 60
    split("#1b6ca8 #c0392b #2e8b57 #8e44ad #d98200 #555555", colours, " ")
}
NR == 1 { next }
{
    count++
    for (column = 2; column <= 7; column++) value[column, count] = $column
    # 12 frames a block, 25 a second.
    place[count] = $8 * 12 / 25
}

# axis PANEL MAXIMUM TITLE: the frame of a panel, with three labels.
function axis(panel, maximum, title,    y, step) {
    y = top + panel * (height + gap)
    printf "<text x='%d' y='%d' class='title'>%s</text>\n", left, y - 10, title
    for (step = 0; step <= 4; step++)
        printf "<path d='M%d %.1f h%d' class='grid'/><text x='%d' y='%.1f' text-anchor='end'>%g</text>\n", left,
            y + height * (1 - step / 4), width, left - 6, y + height * (1 - step / 4) + 4, maximum * step / 4
    for (step = 0; step <= 5; step++)
        printf "<text x='%.1f' y='%d' text-anchor='middle'>%.0f</text>\n", left + width * step / 5, y + height + 16,
            longest * step / 5
}

# curve PANEL MAXIMUM COLUMN COLOUR NAME SHIFT: one line, as far as there are numbers; its name so much below its end.
function curve(panel, maximum, column, colour, name, shift,    index_, path, y, last) {
    y = top + panel * (height + gap) + height
    for (index_ = 1; index_ <= count; index_++) {
        if (value[column, index_] == "") continue
        last = y - height * value[column, index_] / maximum
        path = path sprintf("%s%.1f %.1f", path == "" ? "M" : "L", left + width * place[index_] / longest, last)
    }
    printf "<path d='%s' stroke='%s' class='curve'/>\n", path, colours[colour]
    printf "<text x='%d' y='%.1f' fill='%s'>%s</text>\n", left + width + 8, last + 4 + shift, colours[colour], name
}

END {
    unit = 10 ^ int(log(place[count]) / log(10))
    longest = unit * int((place[count] + unit - 1) / unit)
    printf "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n",
        left + width + right, top + 2 * (height + gap)
    print "<style>.grid { stroke: #ddd } .curve { fill: none; stroke-width: 1.5 } .title { font-size: 14px }</style>"
    print "<rect width='100%' height='100%' fill='white'/>"
    axis(0, 40, "anonymous memory, MB, over seconds of film")
    curve(0, 40, 2, 1, "denoiser", 8); curve(0, 40, 3, 2, "decoder", 0); curve(0, 40, 4, 3, "muxer", -4)
    axis(1, 240, "on the disk, MB, over seconds of film")
    curve(1, 240, 5, 4, "latents", -6); curve(1, 240, 6, 5, "frames", 4); curve(1, 240, 7, 6, "film", 0)
    print "</svg>"
}
