/// Which long-lived memory of a run stays on the device; the rest comes from the host ahead of its use.
public struct DenoiserResidency: Hashable, Sendable {
    /// The layers whose weights are streamed.
    public var streamedLayers: Set<Int>
    /// For each step of the process the layers whose window is streamed, in every branch of the guidance; [] for none.
    public var streamedWindows: [Set<Int>]
    /// Buffers on the device that streamed weights share, 2 or more.
    public var weightSlots: Int
    /// Buffers on the device that streamed windows share, 2 or more.
    public var windowSlots: Int

    /// A residency; everything stays on the device unless said.
    public init(
        streamedLayers: Set<Int> = [], streamedWindows: [Set<Int>] = [], weightSlots: Int = 2,
        windowSlots: Int = 2
    ) {
        self.streamedLayers = streamedLayers
        self.streamedWindows = streamedWindows
        self.weightSlots = weightSlots
        self.windowSlots = windowSlots
    }

    /// Everything stays on the device.
    public static let resident = DenoiserResidency()
}
