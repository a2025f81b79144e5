"""Networks whose restorer is given a code of the degradation, with those that find the code in L: SRMD's, IKC's and DAN's."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.degradation.kernel_pca import Code
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import GeneratorOutput


class CodeConditioned(nn.Module):
    """code: what a code means. restorer: L and a code to S."""

    def __init__(self, code: Code, restorer: nn.Module) -> None:
        super().__init__()
        self.code, self.restorer = code, restorer

    def decode(self, theta: Float[Tensor, "b p"]) -> Parameters:
        """What the networks found, in physical units."""
        return self.code.decode(theta)


class SRMDNetworks(CodeConditioned):
    """L to S by way of a predicted code."""

    def __init__(self, code: Code, restorer: nn.Module, predictor: nn.Module) -> None:
        super().__init__(code, restorer)
        self.predictor = predictor

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        code = self.predictor(low)
        return GeneratorOutput(self.restorer(low, code), code)


class IKCNetworks(CodeConditioned):
    """L to S: the predicted code, then `corrections` times S and the code that it corrects. The last is the result, always:
    the best could only be found by looking at H."""

    def __init__(self, code: Code, restorer: nn.Module, predictor: nn.Module, corrector: nn.Module, corrections: int) -> None:
        super().__init__(code, restorer)
        self.predictor, self.corrector, self.corrections = predictor, corrector, corrections

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        code = self.predictor(low)
        trace = [GeneratorOutput(self.restorer(low, code), code)]
        for _ in range(self.corrections):
            code = self.corrector(trace[-1].image.clamp(0, 1), code)
            trace.append(GeneratorOutput(self.restorer(low, code), code))
        return trace[-1]._replace(trace=tuple(trace))


class DANNetworks(CodeConditioned):
    """L to S in `loops` turns, beginning with the code of the prior's mean. No gradient passes from one network to the other, as
    in the authors' program: each turn is learned by itself.

    kernel: the estimator gives the taps of a kernel, of which the code is made; otherwise the code.
    """

    def __init__(self, code: Code, restorer: nn.Module, estimator: nn.Module, loops: int, kernel: bool) -> None:
        super().__init__(code, restorer)
        self.estimator, self.loops, self.kernel = estimator, loops, kernel

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        code = self.code.initial(len(low)).to(low)
        trace = []
        for _ in range(self.loops):
            image = self.restorer(low, code.detach())
            theta = self.estimator(low, image.detach())
            theta = functional.softmax(theta, dim=1) if self.kernel else theta
            code = self.code.encode_taps(theta) if self.kernel else theta
            trace.append(GeneratorOutput(image, theta))
        return trace[-1]._replace(trace=tuple(trace))

    def target(self, parameters: Parameters) -> Float[Tensor, "b p"]:
        """What the estimator should give."""
        return self.code.kernel_taps(parameters) if self.kernel else self.code.encode(parameters)

    def decode(self, theta: Float[Tensor, "b p"]) -> Parameters:
        return self.code.decode(self.code.encode_taps(theta) if self.kernel else theta)
