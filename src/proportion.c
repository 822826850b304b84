/*-------------------------------------------------------------------------
 *
 * proportion.c
 *	  Statistics of shares: the normal distribution and Student's, Wilson's
 *	  interval, the two-proportion test.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "proportion.h"

static double
rational(const double *above, const double *below, double x)
{
	double		numerator = 0;
	double		denominator = 0;

	for (int i = 7; i >= 0; i--)
	{
		numerator = numerator * x + above[i];
		denominator = denominator * x + below[i];
	}
	return numerator / denominator;
}

/*
 * The quantile of the standard normal distribution: M. J. Wichura, Algorithm
 * AS 241 (PPND16), Applied Statistics 37 (1988), good to about 16 digits.
 */
double
normal_quantile(double share)
{
	static const double a[8] = {
		3.3871328727963666080e0, 1.3314166789178437745e2,
		1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4,
		3.3430575583588128105e4, 2.5090809287301226727e3
	};
	static const double b[8] = {
		1.0, 4.2313330701600911252e1,
		6.8718700749205790830e2, 5.3941960214247511077e3,
		2.1213794301586595867e4, 3.9307895800092710610e4,
		2.8729085735721942674e4, 5.2264952788528545610e3
	};
	static const double c[8] = {
		1.42343711074968357734e0, 4.63033784615654529590e0,
		5.76949722146069140550e0, 3.64784832476320460504e0,
		1.27045825245236838258e0, 2.41780725177450611770e-1,
		2.27238449892691845833e-2, 7.74545014278341407640e-4
	};
	static const double d[8] = {
		1.0, 2.05319162663775882187e0,
		1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2,
		5.47593808499534494600e-4, 1.05075007164441684324e-9
	};
	static const double e[8] = {
		6.65790464350110377720e0, 5.46378491116411436990e0,
		1.78482653991729133580e0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3,
		2.71155556874348757815e-5, 2.01033439929228813265e-7
	};
	static const double f[8] = {
		1.0, 5.99832206555887937690e-1,
		1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5,
		1.42151175831644588870e-7, 2.04426310338993978564e-15
	};
	double		q = share - 0.5;
	double		r;
	double		z;

	if (fabs(q) <= 0.425)
		return q * rational(a, b, 0.180625 - q * q);

	r = sqrt(-log(q < 0 ? share : 1.0 - share));
	z = r <= 5 ? rational(c, d, r - 1.6) : rational(e, f, r - 5);
	return q < 0 ? -z : z;
}

/* The chance that a standard normal variable is further from 0 than z. */
double
normal_two_sided_p(double z)
{
	return erfc(fabs(z) / sqrt(2.0));
}

/*
 * The chance that a variable of Student's distribution is at most
 * sqrt(degrees) * tan(angle): a finite sum for a whole number of degrees
 * (Abramowitz and Stegun 26.7.3 and 26.7.4).
 */
static double
student_share_of_angle(double angle, int degrees)
{
	double		cosine = cos(angle);
	bool		is_odd = degrees % 2 == 1;
	double		term = is_odd ? cosine : 1.0;
	double		sum = 0;

	for (int i = is_odd ? 3 : 2; i <= degrees; i += 2)
	{
		sum += term;
		term *= cosine * cosine * (i - 1) / i;
	}
	return 0.5 + (is_odd ? (angle + sin(angle) * sum) / M_PI : sin(angle) * sum / 2);
}

double
student_share(double t, int degrees)
{
	return student_share_of_angle(atan(t / sqrt(degrees)), degrees);
}

/*
 * What is not exceeded with the given chance, above 0 and below 1: by Newton's
 * method from the normal distribution on, and by halving where that leads too
 * far.  The density of the angle is proportional to cos(angle)^(degrees - 1).
 */
double
student_quantile(double share, int degrees)
{
	double		low = -M_PI_2;
	double		high = M_PI_2;
	double		angle = atan(normal_quantile(share) / sqrt(degrees));
	double		peak = exp(lgamma((degrees + 1) / 2.0) - lgamma(degrees / 2.0)) / sqrt(M_PI);

	if (share == 0.5)
		return 0;
	for (int i = 0; i < 60; i++)
	{
		double		excess = student_share_of_angle(angle, degrees) - share;
		double		next = angle - excess / (peak * pow(cos(angle), degrees - 1));

		if (excess < 0)
			low = angle;
		else
			high = angle;
		if (!(next > low && next < high))
			next = (low + high) / 2;
		if (fabs(next - angle) <= DBL_EPSILON * fabs(angle))
			break;
		angle = next;
	}
	return sqrt(degrees) * tan(angle);
}

/*
 * Wilson's score interval without continuity correction (E. B. Wilson, 1927)
 * for successes out of trials; trials is above 0.
 */
void
wilson_interval(int64 successes, int64 trials, double confidence,
				double *low, double *high)
{
	double		z = normal_quantile(0.5 + confidence / 2);
	double		n = (double) trials;
	double		share = (double) successes / n;
	double		middle = share + z * z / (2 * n);
	double		half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
	double		scale = 1 + z * z / n;

	/* the ends are exact where every trial or none succeeded */
	*low = successes == 0 ? 0 : (middle - half) / scale;
	*high = successes == trials ? 1 : (middle + half) / scale;
}

/*
 * Two-sided p-value of the pooled two-proportion z-test without continuity
 * correction; NaN where it is not defined (no trials, or all alike).
 */
double
two_proportion_p(int64 successes_a, int64 trials_a,
				 int64 successes_b, int64 trials_b)
{
	double		na = (double) trials_a;
	double		nb = (double) trials_b;
	double		pooled = ((double) successes_a + (double) successes_b) / (na + nb);
	double		variance = pooled * (1 - pooled) * (1 / na + 1 / nb);

	if (trials_a == 0 || trials_b == 0 || !(variance > 0))
		return nan("");
	return normal_two_sided_p(((double) successes_a / na - (double) successes_b / nb) /
							  sqrt(variance));
}
