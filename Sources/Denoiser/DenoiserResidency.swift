import Compute
import Layers
import Tensors

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

    /// The layers whose window is streamed at a step of the process, counted from 0.
    func streamedWindows(step: Int) -> Set<Int> {
        streamedWindows.isEmpty ? [] : streamedWindows[step]
    }

    /// What streamed windows of a run share on the device; nil if there are none. Throws `UnsupportedOperation` on a device
    /// whose memory is not apart.
    func windowSlots(for bundle: TensorBundle, on device: any Device) throws -> StreamedSlots? {
        guard streamedWindows.contains(where: { !$0.isEmpty }) else { return nil }
        return try StreamedSlots(
            count: windowSlots, byteCount: bundle.byteCount, on: device.linked())
    }
}
