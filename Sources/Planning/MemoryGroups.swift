import Compute
import Denoiser
import Tensors

/// Bytes of a run on its device by what they are for, the parts of one group being alike.
public struct MemoryGroups: Hashable, Sendable {
    /// Weights that no layer owns: embeddings of patches, what hears the sound, the head.
    public let fixedWeights: Int
    /// Weights of each layer that a pass reads.
    public let layerWeights: [Int]
    /// What travels over the link of each layer that is streamed.
    public let layerBundles: [Int]
    /// The most weights at once that only the start of a run needs, with the conversion of the largest.
    public let startWeights: Int
    /// What only the start of a run needs at once for its modulations: weights with the conversion of the largest, or with what is
    /// computed of them.
    public let timeStart: Int
    /// The same, behind that, for keys and values of the text: weights, what is computed of them, and a conversion; gone before there
    /// are windows.
    public let textStart: Int
    /// Keys and values of the text.
    public let text: Int
    /// Keys of the reference before they are turned.
    public let referenceKeys: Int
    /// Modulations of every layer at every timestep, scales of attention, and masks.
    public let modulations: Int
    /// The window of one step and layer in one branch: keys and values of conditioning and clip.
    public let window: Int
    /// A buffer for any window that is streamed.
    public let windowSlot: Int
    /// Windows of a layer at each step: one for each branch.
    public let branches: Int
    /// Steps of this process.
    public let steps: Int
    /// What operations need between their inputs and outputs, and what comes and goes in a pass, at most.
    public let temporaries: Int
    /// Room for work spaces of libraries.
    public let libraries: Int

    /// Layers.
    public var layers: Int { layerWeights.count }
    /// A buffer for the weights of any layer that is streamed.
    public var weightSlot: Int { MemoryArena.size(of: layerBundles.max() ?? 0) }
    /// All windows of one step.
    public var windowsOfStep: Int { window * branches * layers }
}

extension MemoryGroups {
    /// Biases in the types of products, and what cuDNN works in; the work spaces of products are among the temporaries.
    public static let libraryBytes = 32 << 20

    /// What oneDNN works in where it reorders weights within a product: for each thread a block of 64 columns of the longest rows.
    private static func libraryBytes(
        of configuration: DenoiserConfiguration, on processor: ProcessorAbilities
    ) -> Int {
        let inner = max(configuration.feedForward, configuration.dim)
        let block = 64 * inner * DataType.float32.size + (4 << 10)
        return processor.threads * block
    }

    /// The groups of a request, from the model's sizes and a dry run.
    init(_ request: PlanRequest, at place: PlanPlace, dryRun: DryRun) throws {
        let configuration = request.model.configuration
        let weights = try WeightGroups(of: request, at: place)
        let (grid, layers) = (request.grid, configuration.layers)
        func rows(_ count: Int, _ type: DataType) -> Int {
            MemoryArena.size(of: count * configuration.dim * type.size)
        }
        fixedWeights = weights.fixed
        layerWeights = weights.layers
        layerBundles = weights.bundles
        startWeights = max(weights.time, weights.text)
        timeStart = max(weights.time, dryRun.timeBytes)
        textStart = dryRun.textBytes + weights.textLoading
        text =
            request.branches * layers * 2
            * rows(configuration.textTokens, request.precision.activationType)
        referenceKeys =
            request.branches * layers * rows(grid.frameTokens, request.precision.activationType)
        let scale = MemoryArena.size(of: DataType.float32.size)
        let scales = request.attention == .float8 ? request.branches * layers * 3 * scale : 0
        let masks =
            request.actors > 1
            ? request.actors * MemoryArena.size(of: grid.blockTokens * DataType.float32.size) : 0
        // Those of the schedule's timesteps and of the conditioning's, which is 0.
        modulations =
            (request.steps + 1) * (layers * rows(6, .float32) + rows(2, .float32))
            + scales + masks
        window = 2 * rows(grid.conditioningTokens + grid.windowTokens, request.windowType)
        windowSlot = MemoryArena.size(
            of: configuration.windowBundle(on: grid, type: request.windowType).byteCount)
        branches = request.branches
        steps = request.steps
        temporaries = dryRun.temporaryBytes
        libraries =
            place.card == nil
            ? Self.libraryBytes(of: configuration, on: place.processor) : Self.libraryBytes
    }

    /// Bytes that tensors of a run with this residency need.
    public func bytes(_ residency: DenoiserResidency) -> Int {
        max(running(residency), starting(residency))
    }

    /// Bytes between the passes' first and last operation.
    package func running(_ residency: DenoiserResidency) -> Int {
        let streamed = residency.streamedWindows.reduce(0) { $0 + $1.count } * branches
        let resident = steps * layers * branches - streamed
        let slots = streamed > 0 ? residency.windowSlots : 0
        return held(residency) + referenceKeys + resident * window + slots * windowSlot
            + temporaries + libraries
    }

    /// Bytes while time and text are prepared, in this order.
    private func starting(_ residency: DenoiserResidency) -> Int {
        held(residency) + max(timeStart - text, textStart) + libraries
    }

    /// Bytes of weights and of what is made of them at the start.
    private func held(_ residency: DenoiserResidency) -> Int {
        let resident = layerWeights.enumerated().reduce(0) {
            residency.streamedLayers.contains($1.offset) ? $0 : $0 + $1.element
        }
        let slots = residency.streamedLayers.isEmpty ? 0 : residency.weightSlots
        return fixedWeights + resident + slots * weightSlot + text + modulations
    }

    /// Bytes of the host's pinned memory that streamed groups take.
    public func hostBytes(_ residency: DenoiserResidency) -> Int {
        residency.streamedLayers.reduce(0) { $0 + layerBundles[$1] }
            + residency.streamedWindows.reduce(0) { $0 + $1.count } * branches * windowSlot
    }
}
