/// How many threads of a processor compute, and which types its products take.
public struct ProcessorAbilities: Hashable, Sendable {
    /// Threads, each with scratch memory of its own.
    public var threads: Int
    /// Whether it multiplies bfloat16.
    public var multipliesBFloat16: Bool
    /// Whether it multiplies int8, for which such weights are packed.
    public var multipliesInt8: Bool

    /// A processor that multiplies all types, unless said.
    public init(threads: Int, multipliesBFloat16: Bool = true, multipliesInt8: Bool = true) {
        self.threads = threads
        self.multipliesBFloat16 = multipliesBFloat16
        self.multipliesInt8 = multipliesInt8
    }
}
