//! The model's own arithmetic: whole numbers of 128 bits, nothing of the library's.

use crate::value::Currency;

/// A whole percent, and a whole unit of a quantity or price, in millionths.
pub(super) const MICROS: i64 = 1_000_000;

/// A line as it is asked for, in millionths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineAsked {
    pub(super) quantity: i64,
    pub(super) price: i64,
    pub(super) discount: Option<Off>,
    pub(super) percent: i64,
}

/// What is taken off a line, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off {
    Percent(i64),
    Amount(i64),
}

/// What a line is, in minor units; the rate in millionths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) percent: i64,
    pub(super) net: i128,
    pub(super) tax: i128,
}

/// How many minor units make one unit of the currencies that the sequences use.
pub(super) fn minor_units(currency: Currency) -> i128 {
    match currency.code() {
        "JPY" => 1,
        "KWD" => 1_000,
        _ => 100,
    }
}

/// A quotient rounded half away from zero; the divisor is positive.
pub(super) fn rounded(value: i128, by: i128) -> i128 {
    let away = (value.abs() * 2 + by) / (2 * by);
    if value < 0 { -away } else { away }
}

impl LineAsked {
    /// The line, or nothing when a field of it is refused.
    pub(super) fn line(&self, currency: Currency) -> Option<Line> {
        let (one, hundred) = (i128::from(MICROS), 100 * i128::from(MICROS));
        let units = minor_units(currency);
        let rate = |percent: i64| (0..=hundred).contains(&i128::from(percent)).then_some(i128::from(percent));
        if self.quantity <= 0 || self.price < 0 {
            return None;
        }
        let gross = rounded(i128::from(self.quantity) * i128::from(self.price) * units, one * one);
        let off = match self.discount {
            None => 0,
            Some(Off::Percent(percent)) => rounded(gross * rate(percent)?, hundred),
            Some(Off::Amount(amount)) if amount < 0 => return None,
            Some(Off::Amount(amount)) => rounded(i128::from(amount) * units, one),
        };
        if off > gross {
            return None;
        }
        let net = gross - off;
        Some(Line { percent: self.percent, net, tax: rounded(net * rate(self.percent)?, hundred) })
    }
}

/// What is left of lines once others are taken off: net and tax at each rate, the lowest first.
pub(super) fn left(billed: &[Line], credited: &[Line]) -> Vec<Line> {
    let mut rates: Vec<Line> = Vec::new();
    for (sign, line) in billed.iter().map(|line| (1, line)).chain(credited.iter().map(|line| (-1, line))) {
        match rates.iter_mut().find(|rate| rate.percent == line.percent) {
            Some(rate) => {
                rate.net += sign * line.net;
                rate.tax += sign * line.tax;
            }
            None => rates.push(Line { percent: line.percent, net: sign * line.net, tax: sign * line.tax }),
        }
    }
    rates.sort_by_key(|rate| rate.percent);
    rates
}

/// An amount by weights: each part cut off, and what is left over to those that lost most, the earlier of equals first.
pub(super) fn shared(amount: i128, weights: &[i128]) -> Vec<i128> {
    let weights: Vec<i128> = weights.iter().map(|weight| (*weight).max(0)).collect();
    let whole: i128 = weights.iter().sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let mut parts: Vec<i128> = weights.iter().map(|weight| amount * weight / whole).collect();
    let mut over = amount - parts.iter().sum::<i128>();
    let mut lost: Vec<(i128, usize)> = weights.iter().enumerate().map(|(at, w)| (-(amount * w % whole), at)).collect();
    lost.sort_unstable();
    for (_, at) in lost {
        if over > 0 {
            parts[at] += 1;
            over -= 1;
        }
    }
    parts
}

/// The lines that an amount with its tax makes of what is left: one for each rate that gets a part.
pub(super) fn spread(amount: i128, left: &[Line]) -> Vec<Line> {
    let weights: Vec<i128> = left.iter().map(|rate| rate.net + rate.tax).collect();
    let parts = shared(amount, &weights);
    let parts = left.iter().zip(parts).filter(|(_, part)| *part > 0);
    parts
        .map(|(rate, part)| {
            let of = shared(part, &[rate.net, rate.tax]);
            Line { percent: rate.percent, net: of[0], tax: of[1] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: &str, price: &str) -> (i128, i128) {
        let micros = |text: &str| crate::value::Decimal6::parse(text).unwrap().micros();
        let asked =
            LineAsked { quantity: micros(quantity), price: micros(price), discount: None, percent: 19 * MICROS };
        asked.line(Currency::USD).map(|line| (line.net, line.tax)).unwrap()
    }

    #[test]
    fn half_cents_go_away_from_zero() {
        assert_eq!(line("1", "10.005"), (1001, 190));
        assert_eq!(line("1", "2.675"), (268, 51));
        assert_eq!(line("0.5", "0.01"), (1, 0));
        assert_eq!([rounded(-5, 2), rounded(5, 2), rounded(4, 3)], [-3, 3, 1]);
    }

    #[test]
    fn shares_add_up() {
        assert_eq!(shared(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shared(5, &[0, 3, -2]), [0, 5, 0]);
        assert_eq!(shared(7, &[100, 19]), [6, 1]);
    }
}
