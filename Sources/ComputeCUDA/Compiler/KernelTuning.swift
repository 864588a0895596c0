/// What kernels leave open because only time decides it; `bench-kernels` compares.
package struct KernelTuning: Hashable, Sendable {
    /// How kernels read what they do not need again.
    package enum Reading: Int, Sendable {
        /// As anything else.
        case plain
        /// First to leave the caches.
        case evictFirst
        /// Kept in L2 alone.
        case pastL1
    }

    /// How memory is read that is not needed again.
    package var reading = Reading.evictFirst
    /// Rows of a thread in `Add.cu`.
    package var addRows = 2
    /// Rows of a thread in `Rotate.cu`.
    package var rotateRows = 2
    /// Whether blocks of norms do several wide rows in turns; else a block does one.
    package var normsTakeTurns = true
    /// Pieces of a thread of such blocks, 1 or 2.
    package var normPieces = 2
    /// Rows that are on their way while such a block works on one.
    package var normAhead = 1

    /// Whether products of 8-bit floats keep their sums in the tensor cores' own few digits. What
    /// that loses is small beside what rounding the elements does: see `bench-precision`.
    package var sumsFloat8Fast = true
    /// Whether products of 8-bit floats multiply by the scales of rows and columns, where the card
    /// offers that; else a kernel behind them does, as on cards that do not.
    package var scalesInProducts = true

    /// Whether the kernel of this room attends on Hopper, in bfloat16 where there are many keys; else cuDNN does, and 8 bits are
    /// attended to in bfloat16.
    package var attendsItself = true

    /// The project's choice.
    package init() {}

    /// What the compiler is told.
    var definitions: [String] {
        [
            "-DREADING=\(reading.rawValue)", "-DADD_ROWS=\(addRows)",
            "-DROTATE_ROWS=\(rotateRows)", "-DNORM_PIECES=\(normPieces)",
            "-DNORM_AHEAD=\(normAhead)",
        ]
    }
}
