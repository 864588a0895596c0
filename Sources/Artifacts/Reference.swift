import Tensors

/// The encoded portrait: its latent, and the latents of the motionless video before the first frame.
public struct Reference: Sendable {
    /// The portrait: [channels, 1, h, w], float32 or bfloat16.
    public let reference: TensorView
    /// The motion condition: [channels, latent frames, h, w].
    public let motion: TensorView
    /// The encoded pose video, if there is one: [channels, latent frames, h, w].
    public let pose: TensorView?
    /// What each actor's voice may move, if there are several: [actors, latent frames, h/2, w/2].
    public let mask: TensorView?
    /// How the picture was fitted into the frame, if the file says so.
    public let framing: Framing?
    /// How the file was made, as far as it says.
    public let provenance: Provenance?

    /// What a model needs of a reference; what is nil may be anything.
    public struct Needs: Hashable, Sendable {
        /// Latent channels.
        public var channels: Int?
        /// Latent frames of the motion condition.
        public var motionFrames: Int?
        /// Actors, if there are several: then a mask is needed.
        public var actors: Int?
        /// Latent frames that the mask has at least: those of one block.
        public var maskFrames: Int?

        /// A model's needs.
        public init(
            channels: Int? = nil, motionFrames: Int? = nil, actors: Int? = nil,
            maskFrames: Int? = nil
        ) {
            self.channels = channels
            self.motionFrames = motionFrames
            self.actors = actors
            self.maskFrames = maskFrames
        }
    }

    /// Opens a file if its tensors fit each other and what is needed.
    ///
    /// Throws `SystemError` or `TensorFileError`.
    public init(path: String, needs: Needs = Needs()) throws {
        let file = try TensorFile(path: path)
        try ArtifactHeader.check(file, is: .reference)
        let types = ArtifactKind.conditionTypes
        reference = try file.tensor(
            "reference",
            axes: [
                Axis("channels", needs.channels), Axis("latent frames", 1, "a reference has"),
                Axis("rows"), Axis("columns"),
            ], types: types)
        let shape = reference.shape
        func like(_ frames: Int?) -> [Axis] {
            [
                Axis("channels", shape[0], "'reference' has"), Axis("latent frames", frames),
                Axis("rows", shape[2], "'reference' has"),
                Axis("columns", shape[3], "'reference' has"),
            ]
        }
        motion = try file.tensor("motion", axes: like(needs.motionFrames), types: types)
        pose = file.contains("pose") ? try file.tensor("pose", axes: like(nil), types: types) : nil
        mask = try Self.mask(of: file, latent: shape, needs: needs)
        framing = Framing(metadata: file.metadata)
        provenance = Provenance(metadata: file.metadata)
    }

    /// The mask, if there is one or must be.
    private static func mask(
        of file: TensorFile, latent: Shape, needs: Needs
    ) throws(TensorFileError) -> TensorView? {
        guard file.contains("mask") || (needs.actors ?? 1) > 1 else { return nil }
        // The transformer sees the latents in patches of two by two.
        let patch = 2
        let mask = try file.tensor(
            "mask",
            axes: [
                Axis("actors", needs.actors, "the voices are"), Axis("latent frames"),
                Axis("rows", latent[2] / patch, "half of 'reference' is"),
                Axis("columns", latent[3] / patch, "half of 'reference' is"),
            ], types: ArtifactKind.conditionTypes)
        if let frames = needs.maskFrames, mask.shape[1] < frames {
            throw TensorFileError(
                path: file.path, tensor: "mask",
                reason: "has \(mask.shape[1]) latent frames, a block has \(frames)")
        }
        return mask
    }
}

extension Reference {
    /// The sizes of a reference that is to be written, in latent units.
    public struct Layout: Hashable, Sendable {
        /// Latent channels.
        public var channels: Int
        /// Rows of a latent.
        public var height: Int
        /// Columns of a latent.
        public var width: Int
        /// Latent frames of the motion condition.
        public var motionFrames: Int
        /// Latent frames of the pose video; nil without one.
        public var poseFrames: Int?
        /// Actors and latent frames of the mask; nil without one.
        public var mask: Mask?

        /// The sizes of a mask.
        public struct Mask: Hashable, Sendable {
            /// Actors.
            public var actors: Int
            /// Latent frames.
            public var frames: Int

            /// The sizes of a mask.
            public init(actors: Int, frames: Int) {
                self.actors = actors
                self.frames = frames
            }
        }

        /// The sizes of a reference.
        public init(
            channels: Int, height: Int, width: Int, motionFrames: Int, poseFrames: Int? = nil,
            mask: Mask? = nil
        ) {
            self.channels = channels
            self.height = height
            self.width = width
            self.motionFrames = motionFrames
            self.poseFrames = poseFrames
            self.mask = mask
        }

        /// The tensors of these sizes.
        func tensors(_ type: DataType) -> [TensorDescriptor] {
            func latents(_ name: String, _ frames: Int) -> TensorDescriptor {
                TensorDescriptor(
                    name: name, dataType: type, shape: [channels, frames, height, width])
            }
            var tensors = [latents("reference", 1), latents("motion", motionFrames)]
            if let poseFrames { tensors.append(latents("pose", poseFrames)) }
            if let mask {
                tensors.append(
                    TensorDescriptor(
                        name: "mask", dataType: type,
                        shape: [mask.actors, mask.frames, height / 2, width / 2]))
            }
            return tensors
        }
    }

    /// Begins a file; the caller fills the tensors of the layout and commits. Throws `SystemError`.
    public static func create(
        path: String, layout: Layout, type: DataType = .float32, framing: Framing,
        provenance: Provenance
    ) throws -> TensorFileWriter {
        precondition(ArtifactKind.conditionTypes.contains(type))
        return try TensorFileWriter(
            path: path, tensors: layout.tensors(type),
            metadata: try ArtifactHeader.metadata(
                of: .reference, provenance: provenance, adding: framing.metadata))
    }
}
