import Artifacts
import Compute
import Denoiser
import Tensors

/// The blocks of one run, with everything that is open for it.
struct DenoisingRun {
    let stage: DenoisingStage
    let sequence: LatentSequence
    let writer: StreamWriter
    let input: StreamReader?
    let refresh: () throws -> Latents
    let manner: StreamManner

    /// Denoises one block and writes it.
    func denoise(_ index: Int) throws {
        let (block, seconds) = try timed { try compute(index) }
        try write(block)
        let bytes = writer.description.tensors(ofBlock: index).reduce(0) { $0 + $1.byteCount }
        try stage.report(.block(index, seconds: seconds, bytes: bytes))
        if manner.consume, let input {
            try input.consume(through: index, keeping: stage.restartBlocks)
        }
    }

    /// Fills the windows as they were before block `index`, from what is on disk, and makes sure that they are: the
    /// last block must come out as it was written.
    func replay(before index: Int) throws {
        let first = max(0, index - stage.restartBlocks)
        for block in first..<max(first, index) {
            if block == index - 1 {
                let (_, seconds) = try timed { try verify(block) }
                try stage.report(.verified(block, seconds: seconds))
            } else {
                let (_, seconds) = try timed { try refill(block) }
                try stage.report(.replayed(block, seconds: seconds))
            }
        }
    }

    private func compute(_ index: Int) throws -> DenoisedBlock {
        try sequence.denoise(
            index, audio: stage.sound(ofBlock: index), input: inputLatents(index),
            refresh: refreshed, monitor: stage.monitor(block: index))
    }

    private func refill(_ index: Int) throws {
        let file = try writer.block(index)
        var stepInputs = [try inputLatents(index) ?? sequence.noise(of: index)]
        if file.contains("step_inputs") {
            let later = try file.tensor("step_inputs")
            stepInputs += (0..<later.shape[0]).map { Latents(later, part: $0) }
        }
        try sequence.replay(
            index, audio: stage.sound(ofBlock: index), stepInputs: stepInputs,
            refresh: refreshed, monitor: stage.monitor(block: index))
    }

    /// Computes the block anew; the writer compares it with what is on disk.
    private func verify(_ index: Int) throws {
        try write(compute(index))
    }

    private func write(_ block: DenoisedBlock) throws {
        let dataType = writer.description.dataType
        try writer.write(block.index) { file in
            try file.write(block.latents.values.rounded(to: dataType), to: "latents")
            if writer.description.stepInputs != nil {
                try file.write(block.stepInputs.flatMap(\.values), to: "step_inputs")
            }
        }
    }

    /// What takes the image's place after the first clip, with the motion as it was.
    private func refreshed() throws -> SinkLatents {
        SinkLatents(reference: try refresh(), motion: stage.motion)
    }

    private func inputLatents(_ index: Int) throws -> Latents? {
        guard let input else { return nil }
        guard let file = try input.block(index) else {
            throw StageError("cannot read '\(input.path)': it ended before block \(index)")
        }
        return Latents(try file.tensor("latents"))
    }
}

extension DenoisingStage {
    /// The motion before the video.
    fileprivate var motion: Latents { Latents(inputs.reference.motion) }

    fileprivate func report(_ report: StageReport) throws { try listener(report) }

    fileprivate func sound(ofBlock index: Int) -> [[Float]] { inputs.sound(ofBlock: index) }

    /// Reports layers as they pass.
    fileprivate func monitor(block index: Int) -> Monitor {
        let (blocks, listener) = (inputs.blocks, listener)
        return { progress in
            try listener(
                .progress(
                    "block \(index + 1) of \(blocks), \(progress.activity) \(progress.completed) of \(progress.total)"
                ))
        }
    }
}
