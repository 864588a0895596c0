import Compute
import Tensors

/// Parts of a model, such as its layers, whose parameters live in the host's memory and are on the device only when the part
/// is used.
public final class StreamedParameters {
    private let slots: StreamedSlots
    private let parts: [Int: Part]

    private struct Part {
        let parameters: [Parameter]
        let group: StreamedGroup

        /// Loads parameters and moves them to the host.
        init(loading parameters: [Parameter], on device: any LinkedDevice) throws {
            self.parameters = parameters
            group = try StreamedGroup(
                TensorBundle(
                    parameters, activations: device.activationType,
                    matrices: device.matrixType), on: device)
            defer { parameters.unload() }
            try parameters.load(on: device)
            try group.read(parameters.map(\.tensor), on: device)
        }
    }

    /// Loads the parameters of each part, by its number, and moves them to the host before the next part's. Parts are expected
    /// to be used in the order of their numbers, again and again, in `count` slots.
    public init(
        _ parameters: [Int: [Parameter]], slots count: Int, on device: any LinkedDevice,
        loaded: (Int) throws -> Void
    ) throws {
        var parts: [Int: Part] = [:]
        let numbers = parameters.keys.sorted()
        for number in numbers {
            parts[number] = try Part(loading: parameters[number] ?? [], on: device)
            try loaded(number)
        }
        let groups = numbers.compactMap { parts[$0]?.group }
        slots = try StreamedSlots(
            count: count, byteCount: groups.map(\.bundle.byteCount).max() ?? 0, on: device)
        slots.order = groups
        self.parts = parts
    }

    // A part whose use failed still has tensors of the slots.
    deinit { for part in parts.values { part.parameters.unload() } }

    /// Bytes that were asked for so far.
    public var traffic: LinkTraffic { slots.traffic }

    /// Gives a part's parameters their tensors, up to `finish`, if the part is streamed.
    public func use(_ number: Int) throws {
        guard let part = parts[number] else { return }
        for (parameter, tensor) in zip(part.parameters, try slots.use(part.group)) {
            parameter.place(on: tensor)
        }
    }

    /// Takes the tensors away behind the operations asked for so far, if the part is streamed.
    public func finish(_ number: Int) throws {
        guard let part = parts[number] else { return }
        part.parameters.unload()
        try slots.finish(part.group)
    }
}
