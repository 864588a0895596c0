import Artifacts
import Checkpoints
import Media
import Tensors

/// A contact sheet of what is to be seen in a file or a stream.
public struct Preview: Sendable {
    /// Most pictures on the sheet, evenly spaced over all frames, the first and the last among them.
    public static let pictureLimit = 16

    /// The pictures side by side.
    public let sheet: Image

    /// Looks at the tensor of this name, or at the first that has a picture's shape, a stream's main
    /// tensor before others.
    ///
    /// Throws `InspectionError` if there is nothing to be seen, and what opening the files throws.
    public init(of subject: Subject, tensor name: String? = nil) throws {
        let places = try Self.places(in: subject, tensor: name)
        guard let first = places.first else {
            let what = name.map { "tensor '\(printable($0))' is no picture" }
            throw InspectionError(
                subject.path, what ?? "there are no latents and no frames to be seen in it")
        }
        sheet = ContactSheet.compose(
            try Self.pictures(of: Self.spread(places), first.shape.content))
    }

    /// The pictures of some frames, each as large as its place on the sheet.
    private static func pictures(
        of places: [Place], _ content: FrameShape.Content
    ) throws -> [Image] {
        switch content {
        case .bytes:
            return try places.map { place in
                ContactSheet.fitted(Image(place.frame, of: try place.open(), shape: place.shape))
            }
        case .pixels:
            return try places.map { place in
                let frame = FrameValues(place.frame, of: try place.open(), shape: place.shape)
                return ContactSheet.fitted(frame.picture(FalseColours.colour(ofPixel:)))
            }
        case .latents:
            let frames = try places.map {
                FrameValues($0.frame, of: try $0.open(), shape: $0.shape)
            }
            let colours = FalseColours(of: frames)
            return frames.map { ContactSheet.fitted($0.picture(colours.colour)) }
        }
    }

    /// One frame of one tensor of one file.
    private struct Place {
        let part: Subject.Part
        let tensor: String
        let shape: FrameShape
        let frame: Int

        /// The tensor; throws `TensorFileError` if it is not of the shape that its stream declares.
        func open() throws -> TensorView {
            let view = try part.open().tensor(tensor)
            guard FrameShape(of: view.descriptor) == shape else {
                throw TensorFileError(
                    path: part.path, tensor: tensor,
                    reason: "is \(view.dataType) \(view.shape), which its stream does not declare")
            }
            return view
        }
    }

    /// All frames, in order; without opening the blocks of a stream.
    private static func places(in subject: Subject, tensor name: String?) throws -> [Place] {
        switch subject.form {
        case .file:
            let part = try subject.parts()[0]
            return try places(in: part, among: part.open().tensors, tensor: name)
        case .stream(let folder):
            let state = try folder.state()
            let name = name ?? state.description.tensorName
            return state.blocks.flatMap { index in
                places(
                    in: Subject.Part(path: folder.path(ofBlock: index), name: ""),
                    among: state.description.tensors(ofBlock: index), tensor: name)
            }
        case .folder:
            throw InspectionError(subject.path, "holds several files, a preview is of one")
        }
    }

    private static func places(
        in part: Subject.Part, among tensors: [TensorDescriptor], tensor name: String?
    ) -> [Place] {
        let candidates = tensors.lazy.filter { name == nil || $0.name == name }
            .compactMap { tensor in FrameShape(of: tensor).map { (tensor.name, $0) } }
        // Weights of convolutions have such shapes too; artifacts come first by their names.
        let known = ["frames", "latents", "reference"]
        guard
            let (tensor, shape) = candidates.first(where: { known.contains($0.0) })
                ?? candidates.first(where: { _ in true })
        else { return [] }
        return (0..<shape.frames).map {
            Place(part: part, tensor: tensor, shape: shape, frame: $0)
        }
    }

    /// As many as fit, evenly spaced.
    private static func spread(_ places: [Place]) -> [Place] {
        let count = min(pictureLimit, places.count)
        guard count > 1 else { return places }
        return (0..<count).map { places[$0 * (places.count - 1) / (count - 1)] }
    }
}
