import CNVIDIA

/// The name of an engine of cuDNN with its settings, as in "45 k2=7 k14=3": the engine's number and its knobs' types
/// and values, which one version of cuDNN understands alike on all cards of an architecture.
package struct EngineName: Hashable, CustomStringConvertible {
    /// cuDNN's number of the engine.
    package let index: Int
    /// The knobs' values by their types.
    package let knobs: [Int: Int]

    package init(index: Int, knobs: [Int: Int]) {
        self.index = index
        self.knobs = knobs
    }

    /// Reads what `description` writes; nil if it is no name.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard let first = words.first, let index = Int(first) else { return nil }
        var knobs: [Int: Int] = [:]
        for word in words.dropFirst() {
            let sides = word.dropFirst().split(separator: "=").map { Int($0) }
            guard word.first == "k", sides.count == 2, let type = sides[0], let value = sides[1]
            else { return nil }
            knobs[type] = value
        }
        self.init(index: index, knobs: knobs)
    }

    package var description: String {
        (["\(index)"] + knobs.sorted { $0.key < $1.key }.map { "k\($0.key)=\($0.value)" })
            .joined(separator: " ")
    }
}

/// An engine of cuDNN with its settings.
struct EngineConfiguration {
    let descriptor: Descriptor
    /// What is particular about the engine's numbers.
    let notes: Set<Int>
    private let engine: Descriptor
    private let library: CUDNN

    /// What a heuristic found.
    init(_ configuration: Descriptor, of library: CUDNN) throws {
        let engine = try Descriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, of: library)
        _ = try configuration.copy(CUDNN_ATTR_ENGINECFG_ENGINE, into: [engine])
        try self.init(configuration, engine: engine, of: library)
    }

    /// The engine of that name for a graph; throws if it does not take the graph or the settings.
    init(_ name: EngineName, for graph: Descriptor, of library: CUDNN) throws {
        let engine = try Descriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, of: library) {
            try $0.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, [graph])
            try $0.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, [name.index])
        }
        let knobs = try name.knobs.sorted { $0.key < $1.key }.map { type, value in
            try Descriptor(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, of: library) {
                try $0.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, choice: type)
                try $0.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, [value])
            }
        }
        let configuration = try Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, of: library) {
            try $0.set(CUDNN_ATTR_ENGINECFG_ENGINE, [engine])
            if !knobs.isEmpty { try $0.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, knobs) }
        }
        try self.init(configuration, engine: engine, of: library)
    }

    private init(_ configuration: Descriptor, engine: Descriptor, of library: CUDNN) throws {
        descriptor = configuration
        self.engine = engine
        self.library = library
        let capacity = try engine.count(
            CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE)
        let values: [Int32] =
            capacity == 0
            ? []
            : try engine.values(
                CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, capacity: capacity,
                empty: 0)
        notes = Set(values.map(Int.init))
    }

    /// More knobs than any engine has.
    private static let mostKnobs = 40

    /// The engine's name, for tables of choices; throws where cuDNN does not tell.
    func name() throws -> EngineName {
        let index: [Int64] = try engine.values(
            CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, capacity: 1, empty: -1)
        let choices = try (0..<Self.mostKnobs).map { _ in
            try Descriptor(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, of: library)
        }
        let count = try descriptor.copy(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, into: choices)
        let knobs = try choices.prefix(count).map { choice -> (Int, Int) in
            let type: [Int32] = try choice.values(
                CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, capacity: 1, empty: -1)
            let value: [Int64] = try choice.values(
                CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, capacity: 1, empty: 0)
            return (Int(type.first ?? -1), Int(value.first ?? 0))
        }
        return EngineName(
            index: Int(index.first ?? -1), knobs: Dictionary(knobs) { first, _ in first })
    }
}
