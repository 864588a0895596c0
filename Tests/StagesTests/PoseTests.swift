import Artifacts
import ComputeCPU
import Media
import Stages
import Tensors
import TestSupport
import Testing

/// The poses of a video against the released code's latents.
@Suite struct PoseTests {
    let folder = TemporaryFolder()

    @Test func latentsOfAVideoShorterThanTheClip() throws {
        let goldens = try TensorFile(path: Fixtures.path("open/goldens/pose_and_masks.safetensors"))
        let raw = try goldens.tensor("pose.raw_u8")
        let golden = try goldens.tensor("pose.cond_latents")
        let (height, width) = (raw.shape[1], raw.shape[2])
        let target = FrameSize(height: 8 * golden.shape[-2], width: 8 * golden.shape[-1])
        let frames = (0..<raw.shape[0]).map { index in
            Image(
                height: height, width: width,
                values: Array(
                    raw.bytes[index * height * width * 3..<(index + 1) * height * width * 3]))
        }
        var next = 0
        let poses = ReferenceStage.Poses(clips: 1, clipFrames: 48) {
            defer { next += 1 }
            guard next < frames.count else {
                return [Float](repeating: -1, count: 3 * target.area)
            }
            return frames[next].normalized.framed(to: target).values
        }
        let size = Artifacts.Framing.Size(width: target.width, height: target.height)
        try ReferenceStage(
            weights: Fixtures.path("open/ckpt"), strict: true, listener: { _ in }
        ).write(
            .init(
                height: target.height, width: target.width,
                pixels: [Float](repeating: 0, count: 3 * target.area)),
            poses: poses, routing: nil,
            framing: .init(image: size, scaled: size, crop: .init(x: 0, y: 0, size: size)),
            provenance: Provenance(tool: "test", toolVersion: "test"),
            to: folder.path("reference"), as: .float32, on: CPUDevice())
        let pose = try #require(try Reference(path: folder.path("reference")).pose)
        let error = largestDifference(pose.floats(), golden.floats())
        #expect(error <= 5e-5, "\(error)")
    }
}
