import Compute

extension CUDADevice: KernelReporting {}

extension CUDADevice: MemoryReporting {
    /// Bytes in use on the whole card: everyone's, contexts and libraries included.
    public var cardBytes: Int? {
        (try? context.memory()).map { $0.total - $0.free }
    }
}
