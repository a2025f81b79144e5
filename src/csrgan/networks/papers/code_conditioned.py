"""Networks with a restorer conditioned on a code of the degradation, and networks that estimate the code: SRMD, IKC and DAN."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.degradation.kernel_pca import Code
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import GeneratorOutput


class CodeConditioned(nn.Module):
    """code: encodes and decodes the degradation. restorer: from L and a code to S."""

    def __init__(self, code: Code, restorer: nn.Module) -> None:
        super().__init__()
        self.code, self.restorer = code, restorer

    def decode(self, theta: Float[Tensor, "b p"]) -> Parameters:
        """Return the estimated parameters in physical units."""
        return self.code.decode(theta)


class SRMDNetworks(CodeConditioned):
    """Predict a code from L, then restore S from L and the code."""

    def __init__(self, code: Code, restorer: nn.Module, predictor: nn.Module) -> None:
        super().__init__(code, restorer)
        self.predictor = predictor

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        code = self.predictor(low)
        return GeneratorOutput(self.restorer(low, code), code)


class IKCNetworks(CodeConditioned):
    """Predict a code from L and restore S, then correct the code from S and restore again, `corrections` times. The result is the
    last S: choosing the best would need H."""

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
    """Restore S and estimate the code from it, `loops` times, starting from the code of the prior's mean. As in the authors'
    program, no gradient passes between the two networks: each iteration learns on its own.

    kernel: the estimator gives the taps of a kernel, from which the code is computed; otherwise it gives the code.
    """

    def __init__(self, code: Code, restorer: nn.Module, estimator: nn.Module, loops: int, kernel: bool) -> None:
        super().__init__(code, restorer)
        self.estimator, self.loops, self.kernel = estimator, loops, kernel

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        code = self.code.initial(len(low)).to(low)
        trace = []
        for _ in range(self.loops):
            image, theta = self.iterate(low, code)
            code = self._code(theta)
            trace.append(GeneratorOutput(image, theta))
        return trace[-1]._replace(trace=tuple(trace))

    def iterate(
        self, low: Float[Tensor, "b 3 h w"], code: Float[Tensor, "b p"]
    ) -> tuple[Float[Tensor, "b 3 h2 w2"], Float[Tensor, "b n"]]:
        """Return S, restored with a code, and what the estimator gives for this S."""
        image = self.restorer(low, code.detach())
        theta = self.estimator(low, image.detach())
        return image, functional.softmax(theta, dim=1) if self.kernel else theta

    def _code(self, theta: Float[Tensor, "b n"]) -> Float[Tensor, "b p"]:
        """Return the code of what the estimator gives."""
        return self.code.encode_taps(theta) if self.kernel else theta

    def target(self, parameters: Parameters) -> Float[Tensor, "b p"]:
        """What the estimator should give."""
        return self.code.kernel_taps(parameters) if self.kernel else self.code.encode(parameters)

    def decode(self, theta: Float[Tensor, "b p"]) -> Parameters:
        return self.code.decode(self._code(theta))
