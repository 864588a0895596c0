import Compute

/// The products that a device has computed so far, each with its algorithm.
final class MatrixProducts {
    let library: CUBLASLt
    let workspaceLimit: Int
    let choices: LibraryChoices
    private(set) var plans: [MatrixProduct: ProductPlan?] = [:]

    /// Products on cards with these abilities.
    init(library: CUBLASLt, abilities: CardAbilities) {
        self.library = library
        choices = LibraryChoices(
            "cuBLASLt", version: library.version, architecture: abilities.architecture)
        workspaceLimit = abilities.productBytes
    }

    /// Computes y = epilogue(alpha x weight + bias) + old y, of operands that lie as the product says; false if the library
    /// does not offer the product.
    func run(
        _ product: MatrixProduct, alpha: Float = 1, x: Tensor, weight: Tensor,
        scales: ProductScales? = nil, bias: Tensor? = nil, y: Tensor, on device: CUDADevice
    ) throws -> Bool {
        try device.context.activate()
        guard let plan = try plan(for: product) else { return false }
        let workspace =
            try plan.workspaceBytes > 0 ? device.allocateBytes(plan.workspaceBytes) : nil
        try plan.run(
            alpha: alpha, x: x, weight: weight, scales: scales, bias: bias, y: y,
            workspace: workspace, stream: device.stream)
        device.noteLibraryCall("cuBLASLt")
        return true
    }

    /// Algorithms asked for where one of them is to be found by name.
    static let listLength = 32

    /// The algorithm that was found best on that kind of card with that library, or else the one that cuBLASLt thinks best.
    ///
    /// The choice depends on the product, the kind of card and the library alone, never on a measurement where it runs, so
    /// that every process computes the same bits.
    private func plan(for product: MatrixProduct) throws -> ProductPlan? {
        if let known = plans[product] { return known }
        let choice = choices[product.kind]
        let plan = try ProductPlan(
            product, library: library, workspaceLimit: workspaceLimit,
            count: choice == nil ? 1 : Self.listLength
        ) { offered in
            offered.first { $0.name == choice } ?? offered.first
        }
        plans[product] = .some(plan)
        return plan
    }
}
