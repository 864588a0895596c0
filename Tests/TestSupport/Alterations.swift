import Checkpoints
import Tensors

/// Alters each tensor of a checkpoint in each way and has the result bound; returns those
/// alterations that went unnoticed, or whose error does not name the tensor.
///
/// A model's test passes its own binding and expects none:
///
///     #expect(try unnoticedAlterations(of: weights.denoiser()) { try bindDenoiser($0) } == [])
public func unnoticedAlterations(
    of checkpoint: any Checkpoint, _ bind: (any Checkpoint) throws -> Void
) throws -> [String] {
    var unnoticed: [String] = []
    for index in checkpoint.tensors.indices {
        let name = checkpoint.tensors[index].name
        for alteration in Alteration.allCases {
            let altered = try DeclaredCheckpoint(
                path: checkpoint.path,
                tensors: alteration.applied(to: checkpoint.tensors, at: index))
            do {
                try bind(altered)
                unnoticed.append("\(name) \(alteration)")
            } catch  where !"\(error)".contains("'\(name)'") {
                unnoticed.append("\(name) \(alteration): \(error)")
            } catch {}
        }
    }
    return unnoticed
}

/// A way in which a tensor of a checkpoint can be wrong.
private enum Alteration: CaseIterable {
    case removed
    case renamed
    case longer
    case deeper

    /// The tensors with this done to one of them.
    func applied(to tensors: [TensorDescriptor], at index: Int) -> [TensorDescriptor] {
        let tensor = tensors[index]
        func tensorWith(name: String? = nil, shape: Shape? = nil) -> TensorDescriptor {
            TensorDescriptor(
                name: name ?? tensor.name, dataType: tensor.dataType, shape: shape ?? tensor.shape)
        }
        var tensors = tensors
        switch self {
        case .removed: tensors.remove(at: index)
        case .renamed: tensors[index] = tensorWith(name: tensor.name + "s")
        case .longer:
            let extents = tensor.shape.dimensions
            tensors[index] = tensorWith(
                shape: Shape([(extents.first ?? 1) + 1] + extents.dropFirst()))
        case .deeper: tensors[index] = tensorWith(shape: Shape([1] + tensor.shape.dimensions))
        }
        return tensors
    }
}
