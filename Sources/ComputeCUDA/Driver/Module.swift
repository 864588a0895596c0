import CNVIDIA

/// Compiled kernels on the card.
final class Module {
    private let context: Context
    private let handle: CUmodule
    private var functions: [String: CUfunction] = [:]

    /// Brings a CUBIN image to the card, or PTX that the driver compiles for it.
    init(_ context: Context, image: [UInt8]) throws {
        self.context = context
        var handle: CUmodule?
        try context.driver.check(context.driver.moduleLoad(&handle, image), "cuModuleLoadData")
        self.handle = handle!
    }

    deinit { _ = context.driver.moduleUnload(handle) }

    /// The kernel of that name, allowed as much shared memory as `sharedBytes`.
    func function(_ name: String, sharedBytes: Int) throws -> CUfunction {
        let function = try functions[name] ?? find(name)
        if sharedBytes > Self.plainSharedBytes {
            try context.driver.check(
                context.driver.functionSetAttribute(
                    function, Int32(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES),
                    Int32(sharedBytes)), "cuFuncSetAttribute")
        }
        return function
    }

    /// Shared memory that a kernel may have without asking.
    private static let plainSharedBytes = 48 << 10

    private func find(_ name: String) throws -> CUfunction {
        var found: CUfunction?
        try context.driver.check(
            context.driver.moduleGetFunction(&found, handle, name), "cuModuleGetFunction")
        functions[name] = found
        return found!
    }
}
