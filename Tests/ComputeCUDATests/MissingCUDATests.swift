import Compute
import ComputeCUDA
import Testing

/// What a machine without CUDA says.
@Suite struct MissingCUDATests {
    @Test func namesTheLibraryAndWhereItWasSearched() {
        do {
            _ = try CUDADevice(ordinal: 99)
            Issue.record("no machine has a hundred cards")
        } catch let error as MissingLibrary {
            #expect(error.names == ["libcuda.so.1", "libcuda.so"])
            let text = "\(error)"
            #expect(text.hasPrefix("cannot load the CUDA driver: none of libcuda.so.1, libcuda.so"))
            #expect(text.contains("/usr/local/cuda/lib64"))
            #expect(text.contains("CUDA_LIBRARY_PATH"))
        } catch let error as UnusableCard {
            // On a machine that has the driver.
            #expect("\(error)".hasPrefix("cannot use 'cuda:99': "))
        } catch {
            // A driver without a card refuses to start.
            #expect("\(error)".contains("cuInit"))
        }
    }

    /// Before it looks for a driver, so everywhere.
    @Test func refusesOtherTypes() throws {
        let activations = try #require(throws: UnsupportedOperation.self) {
            try CUDADevice(activationType: .float16)
        }
        #expect("\(activations)" == "cuda:0 does not offer float16 activations")
        let matrices = try #require(throws: UnsupportedOperation.self) {
            try CUDADevice(activationType: .bfloat16, matrixType: .float32)
        }
        #expect("\(matrices)" == "cuda:0 does not offer float32 matrices")
    }
}
